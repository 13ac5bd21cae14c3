package dev.xlstm.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Answers as the hub does: a listing, HEAD with the content's name, large files behind a redirect to another host. Misbehaves
 * as its fields say.
 */
public final class HubServer implements AutoCloseable {

    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    private final HttpServer hub = server();
    private final HttpServer content = server(); // where large files redirect to; another host to a client
    private final Map<String, byte[]> files = new TreeMap<>();
    public final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    public final List<String> tokensAtContent = Collections.synchronizedList(new ArrayList<>());

    final AtomicInteger failures = new AtomicInteger(); // answers of failureStatus that are still to come
    volatile int failureStatus = 503;
    volatile String retryAfter;
    volatile int largeFrom = 10_000; // bytes from which a file is a large one
    volatile boolean ignoreRanges;
    public volatile boolean gated;
    volatile String renamedFrom;
    volatile int cutAfter = Integer.MAX_VALUE; // bytes of a body
    volatile int stallAfter = Integer.MAX_VALUE;
    volatile int stalls; // how many bodies stall
    volatile int corruptBodies; // how many bodies of large files have a flipped bit
    public volatile int bytesPerSecond = Integer.MAX_VALUE;
    public volatile int corruptFrom = Integer.MAX_VALUE; // number of the first body of a large file with flipped bits
    volatile boolean announceLess;
    volatile byte[] replacement; // of large files, once replaceAfter bodies have been sent
    volatile int replaceAfter = Integer.MAX_VALUE;
    private final AtomicInteger bodies = new AtomicInteger();

    public HubServer() throws IOException {
        hub.createContext("/", exchange -> answer(exchange, this::hub));
        content.createContext("/", exchange -> answer(exchange, this::content));
        hub.start();
        content.start();
    }

    private static HttpServer server() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(
                Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        return server;
    }

    public String endpoint() {
        return "http://localhost:" + hub.getAddress().getPort();
    }

    HubSettings settings(Path cache) {
        return new HubSettings(
                URI.create(endpoint()), "hf_secret", false, cache, 4, Duration.ofSeconds(2), Duration.ofMillis(20));
    }

    public HubServer put(String path, byte[] bytes) {
        files.put(path, bytes);
        return this;
    }

    /** All files of a directory. */
    public HubServer putAll(Path directory, String prefix) throws IOException {
        try (var all = Files.list(directory)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                put(prefix + file.getFileName(), Files.readAllBytes(file));
            }
        }
        return this;
    }

    private interface Handler {
        void handle(HttpExchange exchange) throws Exception;
    }

    private void answer(HttpExchange exchange, Handler handler) throws IOException {
        try (exchange) {
            requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            handler.handle(exchange);
        } catch (IOException e) {
            // the client is gone
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private void hub(HttpExchange exchange) throws Exception {
        String path = URLDecoder.decode(exchange.getRequestURI().getRawPath(), StandardCharsets.UTF_8);
        if (failures.get() > 0 && failures.getAndDecrement() > 0) {
            if (retryAfter != null) {
                exchange.getResponseHeaders().set("Retry-After", retryAfter);
            }
            status(exchange, failureStatus);
        } else if (gated && !path.startsWith("/api/")) {
            exchange.getResponseHeaders().set("X-Error-Code", "GatedRepo");
            status(exchange, 403);
        } else if (renamedFrom != null && path.contains(renamedFrom)) {
            exchange.getResponseHeaders().set("Location", path.replace(renamedFrom, "org/model"));
            status(exchange, path.startsWith("/api/") ? 307 : 301);
        } else if (path.startsWith("/api/models/org/model/revision/")) {
            listing(exchange);
        } else if (path.startsWith("/org/model/resolve/" + COMMIT + "/")) {
            file(exchange, path.substring(("/org/model/resolve/" + COMMIT + "/").length()));
        } else {
            exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
            status(exchange, 404);
        }
    }

    private void listing(HttpExchange exchange) throws IOException {
        ObjectNode json = JsonMapper.shared().createObjectNode();
        json.put("id", "org/model").put("sha", COMMIT);
        ArrayNode siblings = json.putArray("siblings");
        files.keySet().forEach(path -> siblings.addObject().put("rfilename", path));
        byte[] body = JsonMapper.shared().writeValueAsBytes(json);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
    }

    private void file(HttpExchange exchange, String path) throws Exception {
        byte[] bytes = current(path);
        if (bytes == null) {
            exchange.getResponseHeaders().set("X-Error-Code", "EntryNotFound");
            status(exchange, 404);
            return;
        }
        exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
        if (bytes.length < largeFrom) {
            byte[] git = ("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII);
            exchange.getResponseHeaders().set("ETag", "\"" + hash("SHA-1", git, bytes) + "\"");
            body(exchange, bytes);
            return;
        }
        exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + hash("SHA-256", bytes) + "\"");
        exchange.getResponseHeaders()
                .set("X-Linked-Size", Integer.toString(announceLess ? bytes.length - 1000 : bytes.length));
        exchange.getResponseHeaders()
                .set("Location", "http://127.0.0.1:" + content.getAddress().getPort() + "/" + path + "?signature=x");
        status(exchange, 302);
    }

    private byte[] current(String path) {
        byte[] bytes = files.get(path);
        boolean replaced = bytes != null && bytes.length >= largeFrom && bodies.get() >= replaceAfter;
        return replaced ? replacement : bytes;
    }

    private void content(HttpExchange exchange) throws Exception {
        String token = exchange.getRequestHeaders().getFirst("Authorization");
        if (token != null) {
            tokensAtContent.add(token);
        }
        String path = exchange.getRequestURI().getPath().substring(1);
        byte[] bytes = current(path);
        exchange.getResponseHeaders().set("ETag", "\"" + Arrays.hashCode(bytes) + "\"");
        if (bodies.incrementAndGet() >= corruptFrom || corruptBodies > 0) {
            corruptBodies--;
            bytes = bytes.clone();
            bytes[bytes.length / 2] ^= 1;
            for (int i = 1 << 19; i < bytes.length; i += 1 << 19) {
                bytes[i] ^= 1;
            }
        }
        body(exchange, bytes);
    }

    private void body(HttpExchange exchange, byte[] bytes) throws Exception {
        String range = ignoreRanges ? null : exchange.getRequestHeaders().getFirst("Range");
        String condition = exchange.getRequestHeaders().getFirst("If-Range");
        int from = 0;
        int to = bytes.length;
        if (range != null
                && (condition == null
                        || condition.equals(exchange.getResponseHeaders().getFirst("ETag")))) {
            String[] ends = range.substring("bytes=".length()).split("-", -1);
            from = Integer.parseInt(ends[0]);
            to = ends[1].isEmpty() ? bytes.length : Math.min(bytes.length, Integer.parseInt(ends[1]) + 1);
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + bytes.length);
        }
        boolean partial = exchange.getResponseHeaders().containsKey("Content-Range");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(to - from));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        exchange.sendResponseHeaders(partial ? 206 : 200, to - from);
        OutputStream out = exchange.getResponseBody();
        int step = Math.max(1, Math.min(1 << 16, bytesPerSecond / 20));
        for (int at = from; at < to; at += step) {
            int sent = at - from;
            if (sent >= cutAfter) {
                return;
            }
            if (sent >= stallAfter && stalls > 0) {
                stalls--;
                Thread.sleep(20_000);
            }
            int count = Math.min(step, to - at);
            out.write(bytes, at, Math.min(count, cutAfter - sent));
            if (bytesPerSecond < Integer.MAX_VALUE) {
                out.flush();
                Thread.sleep(50);
            }
        }
    }

    private static void status(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
    }

    static String hash(String algorithm, byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            for (byte[] part : parts) {
                digest.update(part);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        content.stop(0);
    }
}
