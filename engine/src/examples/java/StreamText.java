import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import java.nio.file.Path;

/** Prints a continuation piece by piece, as the model writes it: {@code StreamText MODEL PROMPT}. */
final class StreamText {

    private StreamText() {}

    public static void main(String[] args) throws Exception {
        try (TextModel model = TextModel.open(Path.of(args[0]));
                TextSession session = model.newSession()) {
            session.feed(args[1]);
            GenerationOptions options = GenerationOptions.defaults().withMaxTokens(60);
            var completion = session.generate(options, piece -> {
                System.out.print(piece);
                System.out.flush();
            });
            System.out.println();
            System.err.printf("%.1f tokens/s%n", completion.outcome().decodeRate());
        }
    }
}
