// Java's HttpClient (java.net.http), or the older HttpURLConnection: run with the name of one of
// them. See python_client.py for what a line says. An Authenticator answers Basic and Digest.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.CookieManager;
import java.net.HttpURLConnection;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

public class JavaClient {
    static final CookieManager COOKIES = new CookieManager();

    record Answer(int status, String body) {}

    public static void main(String[] arguments) throws IOException {
        boolean old = arguments[0].equals("HttpURLConnection");
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<String, String> asked = fields(line);
            Answer answer;
            try {
                answer = old ? connection(asked) : client(asked);
            } catch (Exception error) {
                answer = new Answer(0, error.toString());
            }
            System.out.println("status=" + answer.status + "&body=" + encode(answer.body));
        }
    }

    static Answer client(Map<String, String> asked) throws Exception {
        var builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        if (asked.containsKey("user")) {
            builder.authenticator(owner(asked));
        }
        if (asked.get("scheme").equals("browse")) {
            builder.cookieHandler(COOKIES).followRedirects(HttpClient.Redirect.NORMAL);
        }
        var body = asked.get("body");
        var request = HttpRequest.newBuilder(URI.create(asked.get("url")))
            .method(asked.get("method"),
                body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        headers(asked).forEach(request::header);
        var answer = builder.build().send(request.build(), BodyHandlers.ofString());
        return new Answer(answer.statusCode(), answer.body());
    }

    static Answer connection(Map<String, String> asked) throws Exception {
        CookieHandler.setDefault(asked.get("scheme").equals("browse") ? COOKIES : null);
        var url = URI.create(asked.get("url")).toURL();
        var connection = (HttpURLConnection) url.openConnection();
        connection.setRequestMethod(asked.get("method"));
        if (asked.containsKey("user")) {
            connection.setAuthenticator(owner(asked));
        }
        headers(asked).forEach(connection::setRequestProperty);
        if (asked.containsKey("body")) {
            connection.setDoOutput(true);
            connection.getOutputStream().write(asked.get("body").getBytes());
        }
        int status = connection.getResponseCode();
        InputStream stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
        byte[] body = stream == null ? new byte[0] : stream.readAllBytes();
        return new Answer(status, new String(body, StandardCharsets.UTF_8));
    }

    static Authenticator owner(Map<String, String> asked) {
        return new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(
                    asked.get("user"), asked.get("password").toCharArray());
            }
        };
    }

    static Map<String, String> headers(Map<String, String> asked) {
        var headers = new LinkedHashMap<String, String>();
        if (asked.get("scheme").equals("bearer")) {
            headers.put("Authorization", "Bearer " + asked.get("token"));
        }
        if (asked.containsKey("otp")) {
            headers.put("OTP", asked.get("otp"));
        }
        if (asked.containsKey("body")) {
            headers.put("Content-Type", "application/x-www-form-urlencoded");
        }
        return headers;
    }

    static Map<String, String> fields(String line) {
        var found = new HashMap<String, String>();
        for (String field : line.split("&")) {
            String[] pair = field.split("=", 2);
            found.put(pair[0], URLDecoder.decode(pair[1], StandardCharsets.UTF_8));
        }
        return found;
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
