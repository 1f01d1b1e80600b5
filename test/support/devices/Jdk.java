import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Keys and signatures as a JDK makes them, and so an Android phone, as JSON on standard output: the forms of each key, and
 * signatures of the first argument; of the others, each with the name of its algorithm in front, signatures as a JWS has them.
 *
 * <pre>java Jdk.java $(printf pay:17:approve | base64) $(printf 'ES256 eyJh...' | base64)</pre>
 */
public final class Jdk {
	private static final List<String> ROWS = new ArrayList<>();

	private static byte[] sign(String algorithm, PSSParameterSpec pss, KeyPair pair, String text) throws Exception {
		Signature signature = Signature.getInstance(algorithm);
		if (pss != null) signature.setParameter(pss);
		signature.initSign(pair.getPrivate());
		signature.update(text.getBytes(StandardCharsets.UTF_8));
		return signature.sign();
	}

	private static String json(String text) {
		return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\r", "\\r").replace("\n", "\\n") + "\"";
	}

	private static byte[] fixed(BigInteger number, int size) {
		byte[] made = number.toByteArray();
		byte[] bytes = new byte[size];
		int length = Math.min(made.length, size);
		System.arraycopy(made, made.length - length, bytes, size - length, length);
		return bytes;
	}

	private static List<String> forms(PublicKey key) {
		byte[] spki = key.getEncoded();
		List<String> forms = new ArrayList<>(List.of(
				"getEncoded, Base64", Base64.getEncoder().encodeToString(spki),
				"getEncoded, Base64 with line breaks", Base64.getMimeEncoder().encodeToString(spki),
				"getEncoded, base64url", Base64.getUrlEncoder().withoutPadding().encodeToString(spki),
				"getEncoded, hexadecimal", HexFormat.of().formatHex(spki)));
		if (key instanceof ECPublicKey ec) {
			int size = (ec.getParams().getCurve().getField().getFieldSize() + 7) / 8;
			byte[] x = fixed(ec.getW().getAffineX(), size);
			byte[] y = fixed(ec.getW().getAffineY(), size);
			Base64.Encoder url = Base64.getUrlEncoder().withoutPadding();
			forms.addAll(List.of(
					"X9.63 point, hexadecimal", "04" + HexFormat.of().formatHex(x) + HexFormat.of().formatHex(y),
					"JWK by hand", "{\"kty\":\"EC\",\"crv\":\"P-" + (size == 66 ? 521 : size * 8) + "\",\"x\":\""
							+ url.encodeToString(x) + "\",\"y\":\"" + url.encodeToString(y) + "\"}"));
		}
		if (key instanceof RSAPublicKey rsa) {
			Base64.Encoder url = Base64.getUrlEncoder().withoutPadding();
			int size = rsa.getModulus().bitLength() / 8;
			forms.addAll(List.of("JWK by hand", "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""
					+ url.encodeToString(fixed(rsa.getModulus(), size)) + "\"}"));
		}
		return forms;
	}

	private static void row(String method, List<String> forms, byte[] signature, boolean isJws) {
		List<String> texts = new ArrayList<>();
		for (String form : forms) texts.add(json(form));
		ROWS.add("{\"method\":" + json(method) + ",\"isJws\":" + isJws + ",\"forms\":[" + String.join(",", texts)
				+ "],\"signature\":" + json(Base64.getMimeEncoder().encodeToString(signature)) + "}");
	}

	private static KeyPair pair(String algorithm, String curve, int bits) throws Exception {
		KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
		if (curve != null) generator.initialize(new ECGenParameterSpec(curve));
		else if (bits > 0) generator.initialize(bits);
		return generator.generateKeyPair();
	}

	/** Arguments come as base64: outside of ASCII their bytes would depend on the machine's language. */
	private static String[] decode(String[] given) {
		String[] texts = new String[given.length];
		for (int index = 0; index < given.length; index++) {
			texts[index] = new String(Base64.getDecoder().decode(given[index]), StandardCharsets.UTF_8);
		}
		return texts;
	}

	public static void main(String[] given) throws Exception {
		String[] texts = decode(given);
		KeyPair p256 = pair("EC", "secp256r1", 0);
		KeyPair p384 = pair("EC", "secp384r1", 0);
		KeyPair p521 = pair("EC", "secp521r1", 0);
		KeyPair rsa = pair("RSA", null, 2048);
		KeyPair ed = pair("Ed25519", null, 0);
		List<KeyPair> onCurves = List.of(p256, p384, p521);
		List<String> hashes = List.of("256", "384", "512");
		for (String hash : hashes) {
			for (KeyPair pair : onCurves) {
				row("ecdsaSha" + hash, forms(pair.getPublic()), sign("SHA" + hash + "withECDSA", null, pair, texts[0]), false);
				row("ecdsaSha" + hash, forms(pair.getPublic()),
						sign("SHA" + hash + "withECDSAinP1363Format", null, pair, texts[0]), false);
			}
			row("rsaSha" + hash, forms(rsa.getPublic()), sign("SHA" + hash + "withRSA", null, rsa, texts[0]), false);
			int bytes = Integer.parseInt(hash) / 8;
			PSSParameterSpec pss = new PSSParameterSpec("SHA-" + hash, "MGF1", new MGF1ParameterSpec("SHA-" + hash), bytes, 1);
			row("rsaPssSha" + hash, forms(rsa.getPublic()), sign("RSASSA-PSS", pss, rsa, texts[0]), false);
			byte[] secret = "a secret of the JDK, long enough for HMAC with each of the hashes".getBytes(StandardCharsets.UTF_8);
			Mac mac = Mac.getInstance("HmacSHA" + hash);
			mac.init(new SecretKeySpec(secret, "HmacSHA" + hash));
			row("hmacSha" + hash, List.of("Base64", Base64.getMimeEncoder().encodeToString(secret)),
					mac.doFinal(texts[0].getBytes(StandardCharsets.UTF_8)), false);
		}
		row("ed25519", forms(ed.getPublic()), sign("Ed25519", null, ed, texts[0]), false);
		for (int index = 1; index < texts.length; index++) {
			String[] asked = texts[index].split(" ");
			String hash = asked[0].substring(2);
			KeyPair pair = asked[0].startsWith("ES") ? onCurves.get(hashes.indexOf(hash)) : asked[0].equals("EdDSA") ? ed : rsa;
			int bytes = asked[0].equals("EdDSA") ? 0 : Integer.parseInt(hash) / 8;
			byte[] signature = switch (asked[0].substring(0, 2)) {
				case "ES" -> sign("SHA" + hash + "withECDSAinP1363Format", null, pair, asked[1]);
				case "RS" -> sign("SHA" + hash + "withRSA", null, pair, asked[1]);
				case "PS" -> sign("RSASSA-PSS",
						new PSSParameterSpec("SHA-" + hash, "MGF1", new MGF1ParameterSpec("SHA-" + hash), bytes, 1), pair, asked[1]);
				default -> sign("Ed25519", null, pair, asked[1]);
			};
			row(asked[0], forms(pair.getPublic()), signature, true);
		}
		System.out.println("[" + String.join(",", ROWS) + "]");
	}
}
