package dev.xlstm.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * How to reach the hub. The environment variables are those of huggingface_hub.
 *
 * @param endpoint base address, without a slash at its end
 * @param token access token; null for none
 * @param offline whether HF_HUB_OFFLINE forbids the network
 * @param cache the hub's cache directory
 * @param connections ranges of one file transferred at once
 * @param stall a connection that delivers no byte for this long is given up and tried again
 * @param backOff wait before the first retry; doubles with each
 */
public record HubSettings(
        URI endpoint, String token, boolean offline, Path cache, int connections, Duration stall, Duration backOff) {

    private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
    private static final int MAX_TOKEN_BYTES = 4096;

    /**
     * Reads HF_ENDPOINT, HF_TOKEN (or the token file), HF_HUB_OFFLINE and the cache's variables.
     *
     * @throws HubException if HF_ENDPOINT is not an http or https address
     */
    public static HubSettings of(Map<String, String> environment) throws IOException {
        return new HubSettings(
                endpoint(environment.getOrDefault("HF_ENDPOINT", "")),
                token(environment),
                isOn(environment.get("HF_HUB_OFFLINE")),
                HubCache.directory(environment),
                4,
                Duration.ofSeconds(30),
                Duration.ofSeconds(1));
    }

    private static URI endpoint(String value) throws HubException {
        String text = value.isBlank() ? DEFAULT_ENDPOINT : value.strip().replaceAll("/+$", "");
        try {
            URI uri = URI.create(text);
            String scheme = String.valueOf(uri.getScheme());
            if ((scheme.equals("https") || scheme.equals("http")) && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        throw new HubException("HF_ENDPOINT is '" + text + "'; it must be an address such as " + DEFAULT_ENDPOINT);
    }

    private static boolean isOn(String value) {
        return value != null && Set.of("1", "ON", "YES", "TRUE").contains(value.toUpperCase(Locale.ROOT));
    }

    private static String token(Map<String, String> environment) throws IOException {
        for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            String value = environment.getOrDefault(name, "").strip();
            if (!value.isEmpty()) {
                return checkedToken(value, name);
            }
        }
        String named = environment.getOrDefault("HF_TOKEN_PATH", "");
        Path file = named.isEmpty() ? HubCache.home(environment).resolve("token") : Path.of(named);
        if (!Files.isRegularFile(file) || Files.size(file) > MAX_TOKEN_BYTES) {
            return null;
        }
        String value = Files.readString(file).strip();
        return value.isEmpty() ? null : checkedToken(value, file.toString());
    }

    /** A token goes into a header: printable ASCII only. */
    private static String checkedToken(String value, String source) throws HubException {
        if (!value.matches("[\\x21-\\x7e]+")) {
            throw new HubException(source + ": the access token has characters that no token has");
        }
        return value;
    }
}
