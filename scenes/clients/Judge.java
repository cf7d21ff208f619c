// SPDX-License-Identifier: Apache-2.0
// java Judge.java ROOT.pem CHAIN.pem...: what Java's own trust manager thinks of each chain.
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

public class Judge {
	static X509Certificate[] read(String path) throws Exception {
		try (var in = new FileInputStream(path)) {
			var all = CertificateFactory.getInstance("X.509").generateCertificates(in);
			return all.toArray(new X509Certificate[0]);
		}
	}

	public static void main(String[] args) throws Exception {
		var store = KeyStore.getInstance("PKCS12");
		store.load(null, null);
		store.setCertificateEntry("root", read(args[0])[0]);
		var factory = TrustManagerFactory.getInstance("PKIX");
		factory.init(store);
		var judge = (X509TrustManager) factory.getTrustManagers()[0];
		int refused = 0;
		for (int i = 1; i < args.length; i++) {
			var chain = read(args[i]);
			var how = chain[0].getPublicKey().getAlgorithm().equals("RSA") ? "ECDHE_RSA" : "ECDHE_ECDSA";
			try {
				judge.checkServerTrusted(chain, how);
			} catch (CertificateException e) {
				System.out.println(args[i] + ": " + e.getMessage());
				refused++;
			}
		}
		System.out.println(args.length - 1 - refused + " good");
		System.exit(refused == 0 ? 0 : 1);
	}
}
