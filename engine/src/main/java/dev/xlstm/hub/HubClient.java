package dev.xlstm.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The hub's HTTP interface: lists a repository, describes a file, reads a range of its bytes. One request a call, no
 * retries. The access token is sent to the endpoint's own host only and never along a redirect.
 */
final class HubClient implements AutoCloseable {

    private static final int MAX_REDIRECTS = 5;
    private static final int MAX_LISTING_BYTES = 32 << 20;
    private static final int MAX_FILES = 100_000;
    private static final int MAX_PATH = 1024;

    private final HubSettings settings;
    private final HttpClient http;

    HubClient(HubSettings settings) {
        this.settings = settings;
        http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1) // a connection for each range
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(Duration.ofSeconds(15))
                .build();
    }

    HubSettings settings() {
        return settings;
    }

    /**
     * Lists a revision.
     *
     * @param revision branch, tag or commit
     */
    RepositoryListing list(String id, String revision) throws IOException, InterruptedException {
        URI uri = URI.create(settings.endpoint() + "/api/models/" + id + "/revision/" + encode(revision));
        HttpResponse<InputStream> response = null;
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            response = send("GET", uri, List.of(), BodyHandlers.ofInputStream());
            if (!isRedirect(response.statusCode())) {
                break;
            }
            response.body().close();
            uri = sameHost(uri, location(uri, response)); // the listing of a renamed repository
        }
        try (InputStream body = response.body()) {
            check(response, id + "@" + revision);
            byte[] json = body.readNBytes(MAX_LISTING_BYTES + 1);
            if (json.length > MAX_LISTING_BYTES) {
                throw new HubException(uri + ": the listing is larger than " + MAX_LISTING_BYTES + " bytes");
            }
            return listing(id, uri, JsonMapper.shared().readTree(json));
        } catch (JacksonException e) {
            throw new HubException(uri + ": the listing is not valid JSON; is HF_ENDPOINT right?", e);
        }
    }

    private static RepositoryListing listing(String id, URI uri, JsonNode json) throws HubException {
        String commit = json.path("sha").asString("");
        if (!HubCache.isCommit(commit)) {
            throw new HubException(uri + ": the listing names no commit (field sha); is HF_ENDPOINT right?");
        }
        List<String> paths = new ArrayList<>();
        for (JsonNode sibling : json.path("siblings")) {
            String path = sibling.path("rfilename").asString("");
            if (!isSafe(path)) {
                throw new HubException(uri + ": the repository names the file '" + path
                        + "', which is not a path inside it; nothing is fetched");
            }
            paths.add(path);
            if (paths.size() > MAX_FILES) {
                throw new HubException(uri + ": the repository has more than " + MAX_FILES + " files");
            }
        }
        String name = json.path("id").asString(id); // a renamed repository answers with its new name
        return new RepositoryListing(HubCache.isId(name) ? name : id, commit, List.copyOf(paths));
    }

    /** Whether a path names a file below the repository's own directory on every system. */
    static boolean isSafe(String path) {
        boolean plain = !path.isEmpty()
                && path.length() <= MAX_PATH
                && path.chars().noneMatch(c -> c < 0x20 || c == 0x7f || c == '\\' || c == ':')
                && !path.startsWith("/")
                && !path.endsWith("/");
        return plain
                && Arrays.stream(path.split("/", -1))
                        .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
    }

    /** Describes a file: content name, size, where its bytes are. */
    RemoteFile describe(String id, String commit, String path) throws IOException, InterruptedException {
        URI uri = URI.create(settings.endpoint() + "/" + id + "/resolve/" + encode(commit) + "/"
                + Arrays.stream(path.split("/")).map(HubClient::encode).collect(Collectors.joining("/")));
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            HttpResponse<Void> response =
                    send("HEAD", uri, List.of("Accept-Encoding", "identity"), BodyHandlers.discarding());
            boolean redirect = isRedirect(response.statusCode());
            URI target = redirect ? location(uri, response) : uri;
            boolean described = header(response, "X-Linked-Etag") != null;
            if (redirect && !described && isSameHost(uri, target)) { // a renamed repository
                uri = target;
                continue;
            }
            if (!redirect) {
                check(response, path);
            }
            return describe(path, response, target, redirect);
        }
        throw new HubException(uri + ": redirects without end");
    }

    private static RemoteFile describe(String path, HttpResponse<?> response, URI target, boolean redirect)
            throws HubException {
        String etag = header(response, "X-Linked-Etag");
        if (etag == null) {
            etag = header(response, "ETag");
        }
        String name = etag == null ? "" : unquoted(etag);
        if (!name.matches("[A-Za-z0-9_-]{1,128}")) { // becomes a file name
            throw new HubException(path + ": the hub sends "
                    + (etag == null ? "no ETag" : "the ETag '" + etag + "', which is not a name of content"));
        }
        OptionalLong linked = number(header(response, "X-Linked-Size"));
        OptionalLong length = redirect ? OptionalLong.empty() : number(header(response, "Content-Length"));
        String commit = header(response, "X-Repo-Commit");
        return new RemoteFile(
                path,
                name,
                linked.isPresent() ? linked.getAsLong() : length.orElse(-1),
                commit != null && HubCache.isCommit(commit) ? commit : null,
                target);
    }

    /** An open body. */
    record Body(InputStream in, boolean isRange, long from, long total, String validator) implements AutoCloseable {

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    /**
     * Opens the bytes {@code [from, to)} of a file.
     *
     * @param to -1 for all that follows
     * @param validator the strong ETag of an earlier answer, for If-Range; null for none
     * @return a body that may begin at byte 0 where the server ignores ranges: see {@link Body#isRange}
     */
    Body open(RemoteFile file, long from, long to, String validator) throws IOException, InterruptedException {
        List<String> headers = new ArrayList<>(List.of("Accept-Encoding", "identity"));
        if (from > 0 || to >= 0) {
            headers.addAll(List.of("Range", "bytes=" + from + "-" + (to < 0 ? "" : to - 1)));
            if (validator != null) {
                headers.addAll(List.of("If-Range", validator));
            }
        }
        URI uri = file.location();
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            HttpResponse<InputStream> response = send("GET", uri, headers, BodyHandlers.ofInputStream());
            try {
                if (!isRedirect(response.statusCode())) {
                    check(response, file.path());
                    return body(file, from, response);
                }
            } catch (Throwable e) {
                response.body().close();
                throw e;
            }
            response.body().close();
            uri = location(uri, response);
        }
        throw new HubException(uri + ": redirects without end");
    }

    private static Body body(RemoteFile file, long from, HttpResponse<InputStream> response) throws HubException {
        String etag = header(response, "ETag");
        String strong = etag == null || etag.startsWith("W/") ? null : etag;
        if (response.statusCode() != 206) {
            long total = number(header(response, "Content-Length")).orElse(-1);
            return new Body(response.body(), false, 0, total, strong);
        }
        String range = String.valueOf(header(response, "Content-Range")); // bytes 0-99/1000
        if (!range.matches("bytes \\d{1,18}-\\d{1,18}/(\\d{1,18}|\\*)")) {
            throw new HubException(file.path() + ": the server sends the Content-Range '" + range + "'");
        }
        String[] parts = range.substring(6).split("[-/]");
        long total = parts[2].equals("*") ? -1 : Long.parseLong(parts[2]);
        if (Long.parseLong(parts[0]) != from) {
            throw new HubException(file.path() + ": asked from byte " + from + ", the server sends " + range);
        }
        return new Body(response.body(), true, from, total, strong);
    }

    private <T> HttpResponse<T> send(String method, URI uri, List<String> headers, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .timeout(settings.stall())
                .header("User-Agent", "xlstm");
        if (!headers.isEmpty()) {
            request.headers(headers.toArray(String[]::new));
        }
        if (settings.token() != null && isSameHost(settings.endpoint(), uri)) {
            request.header("Authorization", "Bearer " + settings.token());
        }
        try {
            return http.send(request.build(), handler);
        } catch (ConnectException e) {
            throw new HubException.Retryable(
                    uri.getScheme() + "://" + uri.getAuthority() + ": cannot be reached"
                            + (e.getMessage() == null ? "" : ": " + e.getMessage()),
                    0);
        } catch (java.net.http.HttpTimeoutException e) {
            throw new HubException.Retryable(
                    uri + ": no answer within " + settings.stall().toSeconds() + " s", 0);
        }
    }

    /** @throws HubException with the reason, unless the status says that a body follows */
    private void check(HttpResponse<?> response, String what) throws HubException {
        int status = response.statusCode();
        if (status == 200 || status == 206) {
            return;
        }
        String code = String.valueOf(header(response, "X-Error-Code"));
        boolean own = isSameHost(settings.endpoint(), response.uri());
        if (own && (status == 401 || status == 403)) {
            throw new HubException(refusal(what, code));
        }
        if (own && status == 404) {
            throw new HubException(what + ": not on the hub"
                    + (code.equals("RevisionNotFound") ? " in this revision" : "") + " (" + response.uri()
                    + " answers 404); check the name");
        }
        if (status == 408 || status == 429 || status >= 500) {
            long after = number(header(response, "Retry-After")).orElse(0);
            throw new HubException.Retryable(what + ": the server answers " + status, after);
        }
        if (status == 401 || status == 403 || status == 404 || status == 410) { // an address that has expired
            throw new HubException.Retryable(what + ": " + response.uri().getHost() + " answers " + status, 0);
        }
        if (status == 416) {
            throw new HubException.Changed(what + ": the file on the server is shorter than announced");
        }
        throw new HubException(what + ": the server answers " + status);
    }

    private String refusal(String what, String code) {
        String repository = what.contains("@") ? what.substring(0, what.indexOf('@')) : what;
        if (code.equals("GatedRepo")) {
            return what + ": a gated model; accept its licence at " + settings.endpoint() + "/" + repository
                    + (settings.token() == null
                            ? ", then set HF_TOKEN to an access token of yours"
                            : " with the account of your access token");
        }
        return what + ": "
                + (settings.token() == null
                        ? "does not exist, or is private; check the name, or set HF_TOKEN to an access token"
                        : "refused; check the name, and that your access token may read it");
    }

    private static boolean isRedirect(int status) {
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    }

    private static URI location(URI base, HttpResponse<?> response) throws HubException {
        String location = String.valueOf(header(response, "Location"));
        try {
            URI target = base.resolve(location);
            boolean secure = "https".equals(target.getScheme());
            boolean plain = "http".equals(target.getScheme()) && "http".equals(base.getScheme());
            if (target.getHost() != null && (secure || plain)) { // never from https to http
                return target;
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        throw new HubException(base + ": redirects to '" + location + "', which is not followed");
    }

    private static URI sameHost(URI from, URI to) throws HubException {
        if (!isSameHost(from, to)) {
            throw new HubException(from + ": redirects to another host, " + to.getHost() + "; not followed");
        }
        return to;
    }

    /** Scheme, host and port. */
    private static boolean isSameHost(URI a, URI b) {
        return a.getScheme().equals(b.getScheme()) && a.getHost().equalsIgnoreCase(b.getHost()) && port(a) == port(b);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse(null);
    }

    private static OptionalLong number(String value) {
        return value != null && value.strip().matches("\\d{1,18}")
                ? OptionalLong.of(Long.parseLong(value.strip()))
                : OptionalLong.empty();
    }

    private static String unquoted(String etag) {
        String strong = etag.startsWith("W/") ? etag.substring(2) : etag;
        return strong.replace("\"", "");
    }

    private static String encode(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
