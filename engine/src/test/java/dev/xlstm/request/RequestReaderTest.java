package dev.xlstm.request;

import dev.xlstm.chat.Message;
import dev.xlstm.error.BadRequestException;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.sampling.SamplingParameter;
import dev.xlstm.sampling.StepName;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class RequestReaderTest {

    private static final GenerationRequest DEFAULTS =
            GenerationRequest.defaults(GenerationOptions.defaults().withStop(List.of("END")), null);

    private static GenerationRequest read(String json) {
        return RequestReader.read(JsonMapper.shared().readTree(json), DEFAULTS);
    }

    @Test
    void aRequestTakesWhatItGives() {
        GenerationRequest request = read("{\"prompt\":\"Once\",\"max_tokens\":5,\"stop\":\"x\",\"stop_ids\":[3],"
                + "\"ignore_eos\":true,\"seed\":9,\"samplers\":[\"top_k\",\"temperature\"],\"logit_bias\":{\"7\":-100},"
                + "\"logprobs\":2}");
        assertThat(request.prompt()).isEqualTo("Once");
        assertThat(request.logprobs()).isEqualTo(2);
        GenerationOptions options = request.options();
        assertThat(options.maxTokens()).isEqualTo(5);
        assertThat(options.stop()).containsExactly("x");
        assertThat(options.stopIds()).containsExactly(3);
        assertThat(options.ignoreEos()).isTrue();
        assertThat(options.sampling().seed()).isEqualTo(9);
        assertThat(options.sampling().order()).containsExactly(StepName.TOP_K, StepName.TEMPERATURE);
        assertThat(options.sampling().logitBias()).isEqualTo(Map.of(7, -100f));
    }

    /** Each entry of the table is a field, with its own range. */
    @Test
    void everySamplingParameterIsAField() {
        for (SamplingParameter parameter : SamplingParameter.values()) {
            double value = parameter == SamplingParameter.TEMPERATURE ? 0.5 : 1;
            String json = "{\"" + parameter.jsonName() + "\":" + (parameter.isWhole() ? "1" : value) + "}";
            assertThat(read(json).options().sampling().get(parameter))
                    .as(parameter.jsonName())
                    .isEqualTo(value);
            assertThatThrownBy(() -> read("{\"" + parameter.jsonName() + "\":\"1\"}"))
                    .isInstanceOf(BadRequestException.class)
                    .hasMessageStartingWith("\"" + parameter.jsonName() + "\" must be a");
        }
    }

    /** As clients write that serialise all of their fields. */
    @Test
    void nullIsNotGiven() {
        ObjectNode all = JsonMapper.shared().createObjectNode();
        RequestReader.fields().forEach(all::putNull);
        GenerationRequest request = RequestReader.read(all, DEFAULTS);
        assertThat(request).isEqualTo(DEFAULTS);
        assertThat(request.hasPrompt()).isFalse();
    }

    @Test
    void openAiNamesMeanTheSame() {
        assertThat(read("{\"max_completion_tokens\":7}").options().maxTokens()).isEqualTo(7);
        assertThat(read("{\"prompt\":[1,2]}").promptIds()).containsExactly(1, 2);
        assertThat(read("{\"model\":\"m\",\"user\":\"u\",\"n\":1,\"stream\":false}"))
                .isEqualTo(DEFAULTS);
        assertThat(read("{\"logprobs\":true}").logprobs()).isZero();
        assertThat(read("{\"logprobs\":true,\"top_logprobs\":4}").logprobs()).isEqualTo(4);
        assertThat(read("{\"logprobs\":false}").logprobs()).isEqualTo(-1);
        assertThat(read("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                                + "{\"type\":\"text\",\"text\":\"b\"}]}]}")
                        .messages())
                .containsExactly(Message.of("user", "ab"));
    }

    @Test
    void aSchemaMayComeInThreeForms() {
        String schema = "{\"type\":\"boolean\"}";
        for (String json : List.of(
                "{\"json_schema\":" + schema + "}",
                "{\"json_schema\":\"{\\\"type\\\":\\\"boolean\\\"}\"}",
                "{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"b\",\"schema\":" + schema
                        + "}}}",
                "{\"response_format\":{\"type\":\"json_object\"}}",
                "{\"grammar\":\"root ::= [ab]\"}")) {
            assertThat(read(json).grammar()).as(json).isNotNull();
        }
        assertThat(read("{\"response_format\":{\"type\":\"text\"}}").grammar()).isNull();
        Grammar grammar = Grammar.parse("root ::= [ab]");
        GenerationRequest defaults = GenerationRequest.defaults(GenerationOptions.defaults(), grammar);
        assertThat(RequestReader.read(JsonMapper.shared().readTree("{}"), defaults)
                        .grammar())
                .isSameAs(grammar);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "{\"tempreature\":1}|unknown field \"tempreature\"",
                "{\"prompt\":1}|\"prompt\" must be a string",
                "{\"prompt\":[\"a\"]}|\"prompt\" must be an array of token ids",
                "{\"prompt\":\"a\",\"prompt_ids\":[1]}|give \"prompt\" or \"prompt_ids\", not both",
                "{\"prompt\":\"a\",\"messages\":[{\"role\":\"user\"}]}|give \"messages\" or a prompt, not both",
                "{\"messages\":[]}|\"messages\" must be an array of objects with \"role\" and \"content\"",
                "{\"messages\":[{\"content\":\"a\"}]}|a message of \"messages\" has no \"role\"",
                "{\"messages\":[{\"role\":\"user\",\"image\":1}]}|unknown field \"image\"",
                "{\"max_tokens\":-2}|max-tokens must be at least -1, not -2",
                "{\"max_tokens\":1e9}|\"max_tokens\" must be a whole number",
                "{\"top_k\":99999999999}|\"top_k\" is out of range",
                "{\"top_p\":7}|top-p must be above 0 and at most 1, not 7.0",
                "{\"stop\":[\"\"]}|a stop string must not be empty",
                "{\"n\":2}|\"n\" must be 1: each request has one answer",
                "{\"stream\":true}|\"stream\" must be false",
                "{\"logit_bias\":{\"cat\":1}}|\"logit_bias\" must be an object of token ids and numbers",
                "{\"top_logprobs\":1}|\"top_logprobs\" needs \"logprobs\": true",
                "{\"logprobs\":-1}|\"logprobs\" must be at least 0",
                "{\"response_format\":{\"type\":\"xml\"}}|\"response_format\" must have the type text, json_object or"
                        + " json_schema",
                "{\"grammar\":\"root ::= [a]\",\"json_schema\":{}}|give \"grammar\" or a JSON schema, not both",
            })
    void faultsNameTheField(String json, String message) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(BadRequestException.class)
                .hasMessage(message);
    }

    @Test
    void aDamagedGrammarNamesItsField() {
        assertThatThrownBy(() -> read("{\"grammar\":\"root ::= (\"}"))
                .isInstanceOf(BadRequestException.class)
                .hasMessageStartingWith("\"grammar\": ");
        assertThatThrownBy(() -> read("{\"json_schema\":{\"type\":\"wish\"}}"))
                .isInstanceOf(BadRequestException.class)
                .hasMessageStartingWith("\"json_schema\": ");
    }

    @Test
    void fieldsAreThoseThatAreRead() {
        assertThat(RequestReader.fields()).containsAll(Set.of("prompt", "top_k", "mirostat_tau", "messages", "user"));
    }
}
