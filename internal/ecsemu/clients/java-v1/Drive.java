import com.aliyuncs.AcsRequest;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.IAcsClient;
import com.aliyuncs.auth.BasicCredentials;
import com.aliyuncs.auth.BasicSessionCredentials;
import com.aliyuncs.auth.SignatureVersion;
import com.aliyuncs.auth.signers.SignatureAlgorithm;
import com.aliyuncs.exceptions.ClientException;
import com.aliyuncs.http.FormatType;
import com.aliyuncs.http.HttpClientConfig;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.google.gson.ExclusionStrategy;
import com.google.gson.FieldAttributes;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * Drives the older Java SDK; see the README of the clients for the protocol. It signs with the older signature and
 * sends all parameters in the query. It reads JSON and XML. Mode "acs3" is its own form of the newer signature.
 */
public class Drive {
  private static final Map<String, IAcsClient> clients = new HashMap<>();
  private static final Gson gson = new GsonBuilder().disableHtmlEscaping().setExclusionStrategies(new OnlyData()).create();

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(gson.toJson(call(JsonParser.parseString(line).getAsJsonObject())));
    }
    System.exit(0); // The SDK leaves threads behind.
  }

  private static Map<String, Object> call(JsonObject r) throws Exception {
    Map<String, Object> answer = new LinkedHashMap<>();
    try {
      answer.put("data", connect(r).getAcsResponse(build(r)));
      answer.put("ok", true);
      answer.put("status", 200);
    } catch (ClientException e) {
      answer.put("ok", false);
      answer.put("type", e.getClass().getSimpleName());
      answer.put("code", e.getErrCode());
      answer.put("message", e.getErrMsg());
      answer.put("requestId", e.getRequestId());
    }
    return answer;
  }

  /** What is to be trusted is said here, the endpoint and the scheme by each request. */
  private static IAcsClient connect(JsonObject r) throws Exception {
    String key = text(r, "key") + " " + text(r, "secret") + " " + text(r, "token");
    IAcsClient client = clients.get(key);
    if (client != null) {
      return client;
    }
    DefaultProfile profile = DefaultProfile.getProfile("cn-hangzhou", text(r, "key"), text(r, "secret"));
    if (text(r, "scheme").equals("https")) {
      HttpClientConfig config = HttpClientConfig.getDefault();
      config.setX509TrustManagers(trust(text(r, "ca")));
      profile.setHttpClientConfig(config);
    }
    client = text(r, "token").isEmpty()
        ? new DefaultAcsClient(profile, new BasicCredentials(text(r, "key"), text(r, "secret")))
        : new DefaultAcsClient(profile, new BasicSessionCredentials(text(r, "key"), text(r, "secret"), text(r, "token")));
    clients.put(key, client);
    return client;
  }

  private static X509TrustManager[] trust(String file) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream pem = new FileInputStream(file)) {
      store.setCertificateEntry("emulator", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return new X509TrustManager[] {(X509TrustManager) factory.getTrustManagers()[0]};
  }

  private static AcsRequest<?> build(JsonObject r) throws Exception {
    String types = text(r, "product").equals("sts") ? "com.aliyuncs.sts.model.v20150401." : "com.aliyuncs.ecs.model.v20140526.";
    AcsRequest<?> request =
        (AcsRequest<?>) Class.forName(types + text(r, "action") + "Request").getDeclaredConstructor().newInstance();
    for (Map.Entry<String, JsonElement> parameter : r.getAsJsonObject("parameters").entrySet()) {
      // With ACS3, this SDK does not send the region of a request by itself.
      boolean untyped = text(r, "mode").equals("acs3") && parameter.getKey().equals("RegionId");
      if (untyped || !set(request, parameter.getKey(), parameter.getValue())) {
        request.putQueryParameter(parameter.getKey(), parameter.getValue().getAsString());
      }
    }
    request.setSysEndpoint(text(r, "endpoint"));
    request.setSysProtocol(text(r, "scheme").equals("https") ? ProtocolType.HTTPS : ProtocolType.HTTP);
    if (!text(r, "format").isEmpty()) {
      request.setSysAcceptFormat(FormatType.valueOf(text(r, "format")));
    }
    if (text(r, "mode").equals("acs3")) {
      request.setSysSignatureVersion(SignatureVersion.V3);
      request.setSysSignatureAlgorithm(SignatureAlgorithm.ACS3_HMAC_SHA256);
    }
    return request;
  }

  /** Sets what a parameter is called in the typed request. Lists have the plural. It is false if there is none. */
  private static boolean set(Object target, String name, JsonElement value) throws Exception {
    for (String setter : new String[] {"set" + name, "set" + name + "s"}) {
      for (Method method : target.getClass().getMethods()) {
        if (method.getName().equals(setter) && method.getParameterCount() == 1) {
          method.invoke(target, convert(value, method.getGenericParameterTypes()[0]));
          return true;
        }
      }
    }
    return false;
  }

  private static Object convert(JsonElement value, Type type) throws Exception {
    if (type instanceof ParameterizedType) {
      List<Object> list = new ArrayList<>();
      for (JsonElement element : value.getAsJsonArray()) {
        list.add(convert(element, ((ParameterizedType) type).getActualTypeArguments()[0]));
      }
      return list;
    }
    if (!value.isJsonObject()) {
      return gson.fromJson(value, type);
    }
    Object struct = ((Class<?>) type).getDeclaredConstructor().newInstance();
    for (Map.Entry<String, JsonElement> field : value.getAsJsonObject().entrySet()) {
      set(struct, field.getKey(), field.getValue());
    }
    return struct;
  }

  private static String text(JsonObject object, String name) {
    return object.has(name) ? object.get(name).getAsString() : "";
  }

  /** Leaves out what the SDK keeps of the HTTP response. */
  private static class OnlyData implements ExclusionStrategy {
    @Override
    public boolean shouldSkipField(FieldAttributes field) {
      return field.getName().equals("httpResponse") || field.getName().equals("acsResponseHeaders");
    }

    @Override
    public boolean shouldSkipClass(Class<?> type) {
      return false;
    }
  }
}
