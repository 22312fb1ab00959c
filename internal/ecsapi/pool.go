package ecsapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

const (
	// homeRegion is what the SDK names in calls that belong to no region: it always names one.
	homeRegion = "cn-hangzhou"
	// sdkTimeout keeps the SDK's clock out of the way: attempts end by context. The SDK fixes the timeout of a client
	// at its first call and has a table of timeouts per action.
	sdkTimeout = 24 * time.Hour
)

// errSDK says that the SDK broke. What it said is dropped: its texts and its panics may hold signed URLs.
var errSDK = errors.New("the cloud's sdk broke down over this call")

// pools are the pools of one account: one for each region, so that a region that hangs takes nothing from the others,
// and one for calls that belong to none. All share one transport.
type pools struct {
	size      int
	transport *http.Transport
	create    func() (*session, error)

	mu     sync.Mutex
	region map[string]*pool
}

func newPools(o *Options, e endpoint) *pools {
	transport, credentials := newTransport(o, e), o.Credentials
	return &pools{
		size: o.Clients, transport: transport, region: map[string]*pool{},
		create: func() (*session, error) { return newSession(&credentials, transport) },
	}
}

// of gives the pool of a region, a new one if need be. The region without a name is where calls of no region go.
func (p *pools) of(region string) *pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.region[region] == nil {
		p.region[region] = newPool(p.size, p.make)
	}
	return p.region[region]
}

// make makes one client after another, since making them concurrently races.
func (p *pools) make() (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.create()
}

// pool lends SDK clients, each to one caller at a time: concurrent calls on one race. Clients are made when they are
// first lent, as most regions of an account are empty.
type pool struct {
	idle chan *session // nil for those that are to be made
	make func() (*session, error)
}

func newPool(size int, create func() (*session, error)) *pool {
	p := &pool{idle: make(chan *session, size), make: create}
	for range size {
		p.idle <- nil
	}
	return p
}

// take borrows a client, waiting for one if all are lent. It fails with errSDK, or with the error of the context.
func (p *pool) take(ctx context.Context) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s := <-p.idle:
		if s != nil {
			return s, nil
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := p.make()
	if err != nil {
		p.idle <- nil
		return nil, err
	}
	return s, nil
}

// give hands a client back.
func (p *pool) give(s *session) { p.idle <- s }

// session is an SDK client and its transport.
type session struct {
	client   *sdk.Client
	exchange *exchange
}

func newSession(c *Credentials, base http.RoundTripper) (*session, error) {
	x := &exchange{base: base, buffer: make([]byte, 32<<10)}
	config := sdk.NewConfig().WithScheme("HTTPS").WithAutoRetry(false)
	config.Transport = x
	var provider credentials.CredentialsProvider = credentials.NewStaticAKCredentialsProvider(c.KeyID, string(c.Secret))
	if c.SecurityToken != "" {
		provider = credentials.NewStaticSTSCredentialsProvider(c.KeyID, string(c.Secret), string(c.SecurityToken))
	}
	client, err := sdk.NewClientWithOptions(homeRegion, config, provider)
	if err != nil {
		return nil, fmt.Errorf("making an sdk client: %w", errSDK)
	}
	client.SetReadTimeout(sdkTimeout)
	client.SetCloseTrace(true)
	// The SDK reads proxies from the environment and fails over what it cannot parse there. It has no say in them:
	// see newTransport.
	client.SetHttpProxy("http://unused.invalid")
	client.SetHttpsProxy("http://unused.invalid")
	client.SetNoProxy("unused")
	return &session{client: client, exchange: x}, nil
}

// do signs a call and sends it. With an error of the transport it gives what is known of the answer.
func (s *session) do(ctx context.Context, q *request, scheme, host string) (answer reply, err error) {
	defer func() {
		if recover() != nil {
			answer, err = reply{}, errSDK
		}
	}()
	// POST, since Go's transport repeats a GET by itself if a kept connection turns out to be closed: the cloud would
	// see one nonce twice.
	r := requests.NewCommonRequest()
	r.Method, r.Scheme, r.Domain = requests.POST, scheme, host
	r.Product, r.Version, r.ApiName = q.product, q.version, q.action
	maps.Copy(r.QueryParams, q.params)
	if q.region.ID != "" {
		r.RegionId = q.region.ID
		r.QueryParams["RegionId"] = q.region.ID
	}
	s.exchange.begin(ctx, q.gate)
	defer func() { s.exchange.ctx, s.exchange.gate = nil, nil }()
	_, sdkErr := s.client.ProcessCommonRequest(r)
	if sdkErr != nil || !s.exchange.called {
		return reply{}, errSDK
	}
	return s.exchange.reply, s.exchange.err
}
