package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.MachineComplexityEvaluator;

/**
 * One line in, `["pattern", "event"]`; one line out: a JSON string holding `match`, `no-match`, `unsteady`, or
 * `invalid-pattern: ` or `invalid-event: ` with the engine's whole message. For `["pattern"]` it holds how complex the
 * pattern's wildcards are, at most 12.
 */
public final class Diff {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode pair = JSON.readTree(line);
            String pattern = pair.get(0).asText();
            String answer = pair.has(1) ? steady(pattern, pair.get(1).asText()) : complexity(pattern);
            out.println(JSON.writeValueAsString(answer));
        }
        out.flush();
    }

    /** Of some lists the engine makes now this, now that, by where its objects happen to lie in memory. */
    private static String steady(String pattern, String event) {
        String first = answer(pattern, event);
        boolean suspect = pattern.contains("<") || pattern.contains("wild") || pattern.contains("\\u");
        int times = !first.endsWith("match") ? 0 : suspect ? 12 : 2;
        for (int again = 0; again < times; again++) {
            if (!answer(pattern, event).equals(first)) {
                return "unsteady";
            }
        }
        return first;
    }

    private static String complexity(String pattern) {
        Machine machine = new Machine();
        try {
            machine.addRule("rule", pattern);
        } catch (Throwable refused) {
            return "refused";
        }
        return String.valueOf(machine.evaluateComplexity(new MachineComplexityEvaluator(12)));
    }

    private static String answer(String pattern, String event) {
        Machine machine = new Machine();
        try {
            machine.addRule("rule", pattern);
        } catch (Throwable refused) {
            // What a refusal says is what the newer compiler says; the older one only gets a second look.
            String reason = JsonRuleCompiler.check(pattern);
            return "invalid-pattern: " + (reason == null ? String.valueOf(refused.getMessage()) : reason);
        }
        try {
            return machine.rulesForJSONEvent(event).isEmpty() ? "no-match" : "match";
        } catch (Throwable refused) {
            return "invalid-event: " + refused.getMessage();
        }
    }
}
