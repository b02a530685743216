import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;

/**
 * Creates the topics of a file, {@code NAME PARTITIONS [KEY=VALUE]...} in each line, unless they
 * exist.
 */
class CreateTopics {
  public static void main(String[] args) throws Exception {
    // The broker that starts beside it gets five minutes.
    Map<String, Object> client =
        Map.of("bootstrap.servers", args[0], "default.api.timeout.ms", 300_000);
    try (Admin admin = Admin.create(client)) {
      for (String line : Files.readAllLines(Path.of(args[1]))) {
        String[] words = line.split(" ");
        Map<String, String> configs = new HashMap<>();
        for (int i = 2; i < words.length; i++) {
          configs.put(words[i].split("=")[0], words[i].split("=")[1]);
        }
        NewTopic topic = new NewTopic(words[0], Integer.parseInt(words[1]), (short) 1);
        try {
          admin.createTopics(List.of(topic.configs(configs))).all().get();
          System.out.println("created topic " + line);
        } catch (ExecutionException e) {
          if (!(e.getCause() instanceof TopicExistsException)) {
            throw e;
          }
        }
      }
    }
  }
}
