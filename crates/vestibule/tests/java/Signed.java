import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

/** Says whether XML files are signed with the key of a certificate: CERTIFICATE FILE... */
public class Signed {
    public static void main(String[] arguments) throws Exception {
        var factory = CertificateFactory.getInstance("X.509");
        var pem = new ByteArrayInputStream(Files.readAllBytes(Path.of(arguments[0])));
        var certificate = (X509Certificate) factory.generateCertificate(pem);
        var builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        for (int at = 1; at < arguments.length; at++) {
            var document = builders.newDocumentBuilder().parse(Path.of(arguments[at]).toFile());
            var found = document.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
            var context = new DOMValidateContext(certificate.getPublicKey(), found.item(0));
            // XAdES names its properties by an attribute that is no ID without a schema.
            var properties = document.getElementsByTagNameNS("http://uri.etsi.org/01903/v1.3.2#", "SignedProperties");
            context.setIdAttributeNS((Element) properties.item(0), null, "Id");
            var signature = XMLSignatureFactory.getInstance("DOM").unmarshalXMLSignature(context);
            System.out.println(signature.validate(context) ? "good" : "bad");
        }
    }
}
