package io.millrace.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.transform.Catalog;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Parameter;
import io.millrace.transform.Parameter.Bounds;
import io.millrace.transform.Transform;

/** The JSON Schema (draft 2020-12) of pipeline files, by which editors complete and check them. */
public final class PipelineSchema {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DURATION = "^\\s*[0-9]+\\s*[^0-9\\s].*$";
  private static final String REFERENCE = "^(env:[A-Za-z_][A-Za-z0-9_]*|file:/\\S*)$";

  private PipelineSchema() {}

  /** The schema as a file: indented, with a line break at its end. */
  public static String text(Catalog catalog) {
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
    printer.indentArraysWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE.withLinefeed("\n"));
    printer.indentObjectsWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE.withLinefeed("\n"));
    try {
      return JSON.writer(printer).writeValueAsString(schema(catalog)) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode schema(Catalog catalog) {
    ObjectNode schema = closedObject("pipeline");
    schema.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    schema.put("title", "Millrace pipeline");
    ObjectNode pipeline = closedObject("name", "steps");
    ((ObjectNode) schema.get("properties")).set("pipeline", pipeline);
    ObjectNode keys = (ObjectNode) pipeline.get("properties");
    keys.set("name", name("The name of the folder that loads write to."));
    keys.putObject("description").putArray("type").add("string").add("null");
    ObjectNode steps = keys.putObject("steps").put("type", "array");
    steps.put("minItems", 1).put("maxItems", PipelineParser.MAX_STEPS);
    steps.set("items", step(catalog));
    return schema;
  }

  private static ObjectNode step(Catalog catalog) {
    ObjectNode step = closedObject("id", "service");
    ObjectNode keys = (ObjectNode) step.get("properties");
    keys.set("id", name("Unique; where the step's state is found again, so rename it with care."));
    ArrayNode services =
        keys.putObject("service").put("description", "An entry of the catalog.").putArray("enum");
    catalog.services().forEach(services::add);
    keys.putObject("params").putArray("type").add("object").add("null");
    ObjectNode inputs = keys.putObject("depends_on");
    inputs.put("description", "The ids of the steps whose rows this step takes.");
    inputs.putArray("type").add("array").add("null");
    inputs
        .put("uniqueItems", true)
        .putObject("items")
        .putArray("type")
        .add("string")
        .add("integer");
    ArrayNode rules = step.putArray("allOf");
    for (Transform entry : catalog.entries()) {
      rules.add(rule(entry.declaration()));
    }
    return step;
  }

  /** What a step of one service has to look like. */
  private static ObjectNode rule(Declaration declaration) {
    ObjectNode rule = JSON.createObjectNode();
    ObjectNode condition = rule.putObject("if");
    condition.putObject("properties").putObject("service").put("const", declaration.service());
    condition.putArray("required").add("service");
    ObjectNode then = rule.putObject("then");
    ObjectNode keys = then.putObject("properties");
    keys.putObject("service").put("description", declaration.summary());
    ObjectNode params = keys.putObject("params");
    ArrayNode required = JSON.createArrayNode();
    ObjectNode properties = params.putObject("properties");
    for (Parameter parameter : declaration.parameters()) {
      properties.set(parameter.name(), parameter(parameter));
      if (isMissed(parameter)) {
        required.add(parameter.name());
      }
    }
    params.put("additionalProperties", false);
    ArrayNode requiredKeys = JSON.createArrayNode();
    if (!required.isEmpty()) {
      params.put("type", "object");
      params.set("required", required);
      requiredKeys.add("params");
    }
    Inputs inputs = declaration.inputs();
    ObjectNode dependsOn = keys.putObject("depends_on");
    dependsOn.put("minItems", inputs.min());
    if (inputs.max() < Integer.MAX_VALUE) {
      dependsOn.put("maxItems", inputs.max());
    }
    if (inputs.min() > 0) {
      dependsOn.put("type", "array");
      requiredKeys.add("depends_on");
    }
    if (!requiredKeys.isEmpty()) {
      then.set("required", requiredKeys);
    }
    return rule;
  }

  private static boolean isMissed(Parameter parameter) {
    return parameter.required() && parameter.fallback() == null;
  }

  private static ObjectNode parameter(Parameter parameter) {
    ObjectNode schema = JSON.createObjectNode();
    if (!parameter.doc().isEmpty()) {
      schema.put("description", parameter.doc());
    }
    describe(parameter, schema);
    ParameterCheck.fallback(parameter).ifPresent(value -> schema.set("default", value));
    return schema;
  }

  private static void describe(Parameter parameter, ObjectNode schema) {
    boolean orNull = !isMissed(parameter);
    if (parameter.secret()) {
      types(schema, orNull, "string").put("pattern", REFERENCE);
      return;
    }
    switch (parameter.type()) {
      case TEXT, COLUMN, EXPRESSION -> {
        if (parameter.allowed().isEmpty()) {
          types(schema, orNull, "string");
        } else {
          words(parameter, schema, orNull);
        }
      }
      case INTEGER -> bounds(parameter.bounds(), types(schema, orNull, "integer"));
      case NUMBER -> bounds(parameter.bounds(), types(schema, orNull, "number"));
      case BOOLEAN -> types(schema, orNull, "boolean");
      case DURATION -> {
        ArrayNode either = schema.putArray("anyOf");
        types(either.addObject(), orNull, "string").put("pattern", DURATION);
        if (!parameter.allowed().isEmpty()) {
          words(parameter, either.addObject(), false);
        }
      }
      case SCALAR -> types(schema, orNull, "string", "number", "boolean");
      case TEXTS, COLUMNS -> {
        ObjectNode items = types(schema, orNull, "array", "string").putObject("items");
        if (parameter.allowed().isEmpty()) {
          items.put("type", "string").put("minLength", 1);
        } else {
          words(parameter, items, false);
        }
      }
      case OBJECT -> types(schema, orNull, "object", "array");
    }
  }

  private static ObjectNode types(ObjectNode schema, boolean orNull, String... types) {
    if (types.length == 1 && !orNull) {
      return schema.put("type", types[0]);
    }
    ArrayNode list = schema.putArray("type");
    for (String type : types) {
      list.add(type);
    }
    if (orNull) {
      list.add("null");
    }
    return schema;
  }

  private static void words(Parameter parameter, ObjectNode schema, boolean orNull) {
    ArrayNode words = schema.putArray("enum");
    parameter.allowed().forEach(words::add);
    if (orNull) {
      words.addNull();
    }
  }

  private static void bounds(Bounds bounds, ObjectNode schema) {
    if (bounds.min() != null) {
      schema.set(bounds.minExclusive() ? "exclusiveMinimum" : "minimum", number(bounds.min()));
    }
    if (bounds.max() != null) {
      schema.set("maximum", number(bounds.max()));
    }
  }

  /** Without a fraction where there is none, as a person would write it. */
  private static JsonNode number(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1e15
        ? JSON.getNodeFactory().numberNode((long) number)
        : JSON.getNodeFactory().numberNode(number);
  }

  private static ObjectNode name(String description) {
    ObjectNode name = JSON.createObjectNode().put("description", description);
    name.putArray("type").add("string").add("integer");
    return name.put("pattern", "^" + PipelineValidator.NAME + "$");
  }

  private static ObjectNode closedObject(String... required) {
    ObjectNode object = JSON.createObjectNode().put("type", "object");
    ArrayNode names = object.putArray("required");
    for (String name : required) {
      names.add(name);
    }
    object.putObject("properties");
    return object.put("additionalProperties", false);
  }
}
