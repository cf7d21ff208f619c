// SPDX-License-Identifier: Apache-2.0
// java Fetch.java PROXY_PORT URL, with -Djavax.net.ssl.trustStore.
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

public class Fetch {
	public static void main(String[] args) throws Exception {
		var proxy = new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]));
		var client = HttpClient.newBuilder().proxy(ProxySelector.of(proxy))
				.connectTimeout(Duration.ofSeconds(20)).build();
		var request = HttpRequest.newBuilder(URI.create(args[1]))
				.timeout(Duration.ofSeconds(30)).build();
		var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
		System.out.print(answer.body());
		System.exit(answer.statusCode() == 200 ? 0 : 22);
	}
}
