import SPD
import SPDCompiler

/// Returns the synthetic parameters of a graph by name, for an `Interpreter`.
///
/// The closure throws `InterpreterError` for a name that the graph does not list.
public func syntheticParameters(of graph: Graph) -> (String) throws -> [Float] {
  let known = Dictionary(graph.parameters.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  return { name in
    guard let parameter = known[name] else { throw InterpreterError("the graph lists no parameter \(name)") }
    return syntheticParameter(parameter)
  }
}
