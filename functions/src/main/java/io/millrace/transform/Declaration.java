package io.millrace.transform;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What an entry of the catalog is called and takes.
 *
 * @param service the name in YAML; kept for good
 * @param inputs how many steps it depends on
 * @param summary one sentence for the catalog's page
 * @param parameters in the order of the page
 * @param examples YAML of a whole pipeline each; every one is run by a test
 */
public record Declaration(
    String service,
    Kind kind,
    Inputs inputs,
    String summary,
    List<Parameter> parameters,
    List<String> examples) {

  /** Where in a pipeline an entry stands. */
  public enum Kind {
    EXTRACT,
    TRANSFORM,
    LOAD
  }

  /** The number of inputs that an entry takes, both bounds inclusive. */
  public record Inputs(int min, int max) {
    public static final Inputs NONE = new Inputs(0, 0);
    public static final Inputs ONE = new Inputs(1, 1);
    public static final Inputs TWO = new Inputs(2, 2);
    public static final Inputs TWO_OR_MORE = new Inputs(2, Integer.MAX_VALUE);
  }

  public Declaration {
    parameters = List.copyOf(parameters);
    examples = List.copyOf(examples);
    Set<String> names = new LinkedHashSet<>();
    for (Parameter parameter : parameters) {
      if (!names.add(parameter.name())) {
        throw new IllegalArgumentException(service + " declares " + parameter.name() + " twice");
      }
    }
  }

  /** The parameter of that name. */
  public Optional<Parameter> parameter(String name) {
    return parameters.stream().filter(p -> p.name().equals(name)).findFirst();
  }

  /** The names of all parameters, in order. */
  public List<String> parameterNames() {
    return parameters.stream().map(Parameter::name).toList();
  }
}
