package estates

import (
	"bufio"
	"fmt"
	"io"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// Export writes an estate as a file that [Load] reads back to the same values, if Load could have given it: no text with
// bytes that are no UTF-8, and no empty ID. Defaults are left out, and the order is kept but for tags, which have none.
// Errors are those of the writer.
func Export(w io.Writer, estate *cloud.Estate) error {
	buffered := bufio.NewWriter(w)
	out := writer{to: buffered}
	root := file{estate: *estate, version: 1}
	n := fileShape().write(&root)
	out.mapping(&n, "", "")
	if out.err == nil {
		out.err = buffered.Flush()
	}
	if out.err != nil {
		return fmt.Errorf("writing the estate: %w", out.err)
	}
	return nil
}
