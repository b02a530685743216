package io.millrace.lake.parquet;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.MessageType;

/**
 * Tells which rows are a person's, in the tables that have a row per event, session or record. The
 * others hold counts and sketches, out of which no user can be read.
 *
 * <p>A record as it was received is a person's when its key is the id, or its value has the id as
 * {@code user_id}; where the value cannot be parsed, when the id stands in it as a word.
 */
public final class PersonRows {
  /** The tables that know users; first those that others are computed from. */
  public static final List<TableSchema> TABLES =
      List.of(
          RawEventTable.SCHEMA, DeadLetterTable.SCHEMA, AppEventTable.SCHEMA, SessionTable.SCHEMA);

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .build();

  private final Set<String> ids;

  /**
   * The rows of a person.
   *
   * @param ids the names that the person has: the id itself, and its pseudonym
   */
  public PersonRows(Set<String> ids) {
    this.ids = Set.copyOf(ids);
    if (ids.isEmpty() || ids.contains("")) {
      throw new IllegalArgumentException("an id must not be empty");
    }
  }

  /** The columns that {@link #has} looks at, as far as the file has them. */
  static MessageType columns(MessageType file) {
    List<String> wanted =
        file.containsField("user_id")
            ? List.of("user_id")
            : List.of("key", "value", "raw", "raw_encoding");
    return new MessageType(
        file.getName(),
        file.getFields().stream().filter(field -> wanted.contains(field.getName())).toList());
  }

  /** Whether a row is the person's. */
  boolean has(Group row) {
    if (row.getType().containsField("user_id")) {
      return ids.contains(row.getString("user_id", 0));
    }
    byte[] key = RecordColumns.readBytes(row, "key");
    if (key != null && ids.contains(new String(key, StandardCharsets.UTF_8))) {
      return true;
    }
    byte[] value =
        row.getType().containsField("raw")
            ? DeadLetterReader.value(row)
            : RecordColumns.readBytes(row, "value");
    return value != null && isOfPerson(value);
  }

  private boolean isOfPerson(byte[] value) {
    List<String> users = usersOf(value);
    if (users != null) {
      return users.stream().anyMatch(ids::contains);
    }
    return ids.stream().anyMatch(id -> hasWord(value, id.getBytes(StandardCharsets.UTF_8)));
  }

  /** Whatever a record calls its user; null when it is not one JSON object. */
  @Nullable
  private static List<String> usersOf(byte[] value) {
    List<String> users = new ArrayList<>();
    try (JsonParser parser = JSON.createParser(value)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return null;
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        JsonToken token = parser.nextToken();
        if (name.equals("user_id")) {
          addScalars(parser, token, users);
        }
        parser.skipChildren();
      }
      return parser.nextToken() == null ? users : null;
    } catch (IOException e) {
      // What cannot be parsed is looked through as bytes.
      return null;
    }
  }

  /** A user may be wrapped, and the record be rejected for it. */
  private static void addScalars(JsonParser parser, JsonToken first, List<String> to)
      throws IOException {
    int depth = 0;
    JsonToken token = first;
    do {
      depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
      if (token.isScalarValue() && token != JsonToken.VALUE_NULL) {
        to.add(parser.getText());
      }
      token = depth > 0 ? parser.nextToken() : null;
    } while (token != null);
  }

  private static boolean hasWord(byte[] text, byte[] word) {
    for (int at = 0; at + word.length <= text.length; at++) {
      if (Arrays.equals(text, at, at + word.length, word, 0, word.length)
          && (at == 0 || !isWordPart(text[at - 1]))
          && (at + word.length == text.length || !isWordPart(text[at + word.length]))) {
        return true;
      }
    }
    return false;
  }

  /** Letters and digits; of other alphabets every byte. */
  private static boolean isWordPart(byte b) {
    return b < 0 || Character.isLetterOrDigit(b);
  }
}
