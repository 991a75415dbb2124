package oracle;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import software.amazon.event.ruler.Machine;

/** `Bench RULES EVENTS WARM_MS RUN_MS`: adds the rules of a file, one a line, and matches the events of another. */
public final class Bench {
    public static void main(String[] args) throws Exception {
        List<String> rules = Files.readAllLines(Path.of(args[0]), StandardCharsets.UTF_8);
        List<String> events = Files.readAllLines(Path.of(args[1]), StandardCharsets.UTF_8);
        long before = used();
        long start = System.nanoTime();
        Machine machine = new Machine();
        for (int i = 0; i < rules.size(); i++) {
            machine.addRule("rule-" + i, rules.get(i));
        }
        double addMs = (System.nanoTime() - start) / 1e6;
        double bytes = Math.max(0, used() - before) / (double) rules.size();
        run(machine, events, Long.parseLong(args[2]));
        long[] ran = run(machine, events, Long.parseLong(args[3]));
        long matches = 0;
        for (String event : events) {
            matches += machine.rulesForJSONEvent(event).size();
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        out.printf("%.1f %d %.1f %.0f%n", ran[0] * 1e9 / ran[1], matches, addMs, bytes);
    }

    /** Events and nanoseconds of about so many milliseconds. */
    private static long[] run(Machine machine, List<String> events, long ms) throws Exception {
        long start = System.nanoTime();
        long count = 0;
        while (true) {
            for (String event : events) {
                machine.rulesForJSONEvent(event);
                count++;
                if ((count & 63) == 0 && System.nanoTime() - start > ms * 1_000_000) {
                    return new long[] {count, System.nanoTime() - start};
                }
            }
        }
    }

    private static long used() throws InterruptedException {
        Runtime runtime = Runtime.getRuntime();
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(20);
        }
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
