import dev.xlstm.chat.ChatTemplate;
import dev.xlstm.chat.Conversation;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.sampling.SamplingOptions;
import java.nio.file.Path;

import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;

/** Asks two questions and takes the second back; undoing copies a snapshot and reads nothing again: {@code ChatTurns MODEL}. */
final class ChatTurns {

    private static final long SNAPSHOT_MEMORY = 1L << 30;

    private ChatTurns() {}

    public static void main(String[] args) throws Exception {
        SamplingOptions greedy = SamplingOptions.defaults().with(TEMPERATURE, 0);
        GenerationOptions options =
                GenerationOptions.defaults().withMaxTokens(60).withSampling(greedy);
        GenerationListener quiet = new GenerationListener() {};
        var inMemory = new Conversation.Storage(SNAPSHOT_MEMORY, null, 0);
        try (TextModel model = TextModel.open(Path.of(args[0]));
                Conversation chat = new Conversation(model, ChatTemplate.of(model), null, null, null, inMemory)) {
            System.out.println(chat.say("Hello!", options, quiet).answer().text());
            System.out.println(chat.say("What sound does a cow make?", options, quiet)
                    .answer()
                    .text());
            chat.undo(1);
            System.out.println(chat.head().text());
        }
    }
}
