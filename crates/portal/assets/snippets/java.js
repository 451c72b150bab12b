// A call as a program in Java, in one file and without a library.

import { literal, quotedBy } from "./plan.js";

const SIGN = `
    static byte[] file(String name) throws Exception {
        String pem = Files.readString(Path.of(name));
        return Base64.getDecoder().decode(pem.replaceAll("-----[A-Z ]+-----|\\\\s", ""));
    }

    static String sign(String text) throws Exception {
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initSign(KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(file("key.pem"))));
        signature.update(text.getBytes(StandardCharsets.UTF_8));
        return base64(signature.sign());
    }

    static String base64(byte[] octets) {
        return Base64.getEncoder().encodeToString(octets);
    }
`;

const berlinGroup = ({ keyId, names }) => `
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(body.getBytes(StandardCharsets.UTF_8));
        headers.putIfAbsent("x-request-id", UUID.randomUUID().toString());
        headers.putIfAbsent("digest", "SHA-256=" + base64(digest));
        headers.putIfAbsent("tpp-signature-certificate", base64(file("certificate.pem")));
        String names = ${literal(names.join(" "))};
        String text = Arrays.stream(names.split(" "))
                .map(name -> name + ": " + headers.get(name).strip())
                .collect(Collectors.joining("\\n"));
        String keyId = ${literal(keyId)};
        headers.putIfAbsent("signature", "keyId=\\"" + keyId + "\\",algorithm=\\"rsa-sha256\\",headers=\\"" + names
                + "\\",signature=\\"" + sign(text) + "\\"");
`;

const BUNQ = `
        headers.putIfAbsent("x-bunq-client-signature", sign(body));
`;

const signing = { "berlin-group": berlinGroup, bunq: () => BUNQ, none: () => "" };

export const java = {
  id: "java",
  title: "Java",
  file: "Call.java",
  how: "java Call.java",
  code(plan) {
    const headers = Object.entries(plan.headers).map(
      ([name, text]) => `        headers.put(${literal(name)}, ${literal(text)});\n`,
    );
    return `import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import java.util.stream.Collectors;

class Call {
    public static void main(String[] arguments) throws Exception {
        String body = ${quotedBy('"""\n                ', '"""', plan.body)};
        Map<String, String> headers = new LinkedHashMap<>();
${headers.join("")}${signing[plan.sign](plan)}
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(${literal(plan.url)}))
                .version(HttpClient.Version.HTTP_1_1)
                .method(${literal(plan.method)}, body.isEmpty()
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(body));
        headers.forEach(request::header);
        HttpResponse<String> answer =
                HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode());
        System.out.println(answer.body());
    }
${plan.sign === "none" ? "" : SIGN}}
`;
  },
};
