import com.aliyun.openapiutil.Client;
import com.aliyun.tea.TeaException;
import com.aliyun.tea.TeaModel;
import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.ToNumberPolicy;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Drives the Java SDK of today's generation; see the README of the clients for the protocol. It signs with ACS3 and sends
 * all parameters in the query. STS is called by the core that its generated client would be made of.
 */
public class Drive {
  private static final Gson gson =
      new GsonBuilder().disableHtmlEscaping().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();

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
      Map<String, Object> parameters = gson.<Map<String, Object>>fromJson(r.get("parameters"), Map.class);
      answer.put("data", text(r, "product").equals("sts") ? callCore(r, parameters) : callTyped(r, parameters));
      answer.put("ok", true);
      answer.put("status", 200);
    } catch (TeaException e) {
      answer.put("ok", false);
      answer.put("type", e.getClass().getSimpleName());
      answer.put("status", e.getStatusCode());
      answer.put("code", e.getCode());
      answer.put("message", e.getMessage());
      answer.put("requestId", e.getData() == null ? null : e.getData().get("RequestId"));
    }
    return answer;
  }

  /** All that is needed to point this SDK at the emulator: endpoint, protocol and ca. */
  private static Config configure(JsonObject r) throws Exception {
    Config config = new Config()
        .setAccessKeyId(text(r, "key"))
        .setAccessKeySecret(text(r, "secret"))
        .setEndpoint(text(r, "endpoint"))
        .setProtocol(text(r, "scheme"));
    if (!text(r, "token").isEmpty()) {
      config.setSecurityToken(text(r, "token"));
    }
    if (text(r, "scheme").equals("https")) {
      config.setCa(Files.readString(Path.of(text(r, "ca"))));
    }
    return config;
  }

  private static Object callTyped(JsonObject r, Map<String, Object> parameters) throws Exception {
    String action = text(r, "action");
    Class<?> type = Class.forName("com.aliyun.ecs20140526.models." + action + "Request");
    TeaModel request = TeaModel.toModel(parameters, (TeaModel) type.getDeclaredConstructor().newInstance());
    com.aliyun.ecs20140526.Client client = new com.aliyun.ecs20140526.Client(configure(r));
    String method = action.substring(0, 1).toLowerCase() + action.substring(1) + "WithOptions";
    try {
      Object response = client.getClass().getMethod(method, type, RuntimeOptions.class)
          .invoke(client, request, new RuntimeOptions());
      return ((TeaModel) response.getClass().getField("body").get(response)).toMap();
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
    }
  }

  private static Object callCore(JsonObject r, Map<String, Object> parameters) throws Exception {
    Params params = new Params()
        .setAction(text(r, "action")).setVersion("2015-04-01").setProtocol(text(r, "scheme")).setPathname("/")
        .setMethod("POST").setAuthType("AK").setStyle("RPC").setReqBodyType("formData").setBodyType("json");
    OpenApiRequest request = new OpenApiRequest().setQuery(Client.query(parameters));
    return new com.aliyun.teaopenapi.Client(configure(r)).callApi(params, request, new RuntimeOptions()).get("body");
  }

  private static String text(JsonObject object, String name) {
    return object.has(name) ? object.get(name).getAsString() : "";
  }
}
