import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.sampling.SamplingOptions;
import java.nio.file.Path;

/** Reads a prompt once and writes several continuations of it; each fork costs one copy of the state: {@code ForkStory MODEL PROMPT}. */
final class ForkStory {

    private ForkStory() {}

    public static void main(String[] args) throws Exception {
        try (TextModel model = TextModel.open(Path.of(args[0]));
                TextSession prompt = model.newSession()) {
            prompt.feed(args[1]);
            for (int seed = 1; seed <= 3; seed++) {
                GenerationOptions options = GenerationOptions.defaults()
                        .withMaxTokens(30)
                        .withSampling(SamplingOptions.defaults().withSeed(seed));
                try (TextSession fork = prompt.fork()) {
                    System.out.println(
                            seed + ": " + fork.generate(options).text().strip());
                }
            }
        }
    }
}
