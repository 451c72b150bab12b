import java.io.FileInputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Validates a path with the revocation of every certificate on it.
 * Arguments: the root, the number of certificates below it, these (leaf first), then revocation lists.
 * Prints "valid", or why not.
 */
public class Pkix {
    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root;
        try (FileInputStream file = new FileInputStream(arguments[0])) {
            root = (X509Certificate) factory.generateCertificate(file);
        }
        int count = Integer.parseInt(arguments[1]);
        List<X509Certificate> certificates = new ArrayList<>();
        List<Object> lists = new ArrayList<>();
        for (int at = 2; at < arguments.length; at++) {
            try (FileInputStream file = new FileInputStream(arguments[at])) {
                if (at < 2 + count) {
                    certificates.add((X509Certificate) factory.generateCertificate(file));
                } else {
                    lists.add(factory.generateCRL(file));
                }
            }
        }
        CertPath path = factory.generateCertPath(certificates);
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.setRevocationEnabled(true);
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists)));
        try {
            CertPathValidator.getInstance("PKIX").validate(path, parameters);
            System.out.println("valid");
        } catch (CertPathValidatorException error) {
            System.out.println(error.getReason() + ": " + error.getMessage());
        }
    }
}
