import SPD
import SPDFormats

/// Weights taken over from a checkpoint of another network, such as one for other classes or with strides.
package struct TransferredWeights {
  package var graph: Graph
  /// Values by parameter name: those with the same name and shape in the file.
  package var values: [String: [Float]]
  package var report: Report

  /// What was transferred.
  package struct Report: Sendable {
    package var file: String
    package var origin: String
    package var transferred: Int
    package var parameters: Int
    /// Parameters whose shape differs in the file, and parameters that it lacks.
    package var otherShape: [String]
    package var missing: [String]

    package var summary: String {
      var text = "\(transferred) of \(parameters) tensors transferred"
      if !otherShape.isEmpty { text += ", \(otherShape.count) of another shape (\(MappingReport.list(otherShape)))" }
      if !missing.isEmpty { text += ", \(missing.count) not in the file (\(MappingReport.list(missing)))" }
      if transferred < parameters { text += "; the others are drawn from the seed" }
      return text
    }
  }
}

extension WeightLoader {
  /// Takes over every tensor whose name and shape fit.
  ///
  /// - Throws: `Failure` if the file cannot be read, or if no tensor fits.
  package static func transfer(
    to model: LoadedModel, size: Size2D?, batch: Int, classes: Int?, weights path: String
  ) async throws -> TransferredWeights {
    let graph = try await model.graph(size: size, batch: batch, classes: classes)
    let (checkpoint, _) = try matched(try read(path), graph, file: path)
    let wanted = graph.parameters.filter { $0.role != .batchesTracked }
    var found = TransferredWeights(
      graph: graph, values: [:],
      report: .init(
        file: path, origin: checkpoint.origin, transferred: 0, parameters: wanted.count, otherShape: [], missing: []))
    for parameter in wanted {
      guard let tensor = checkpoint.tensors[parameter.name] else {
        found.report.missing.append(parameter.name)
        continue
      }
      guard tensor.shape == parameter.shape, tensor.values.allSatisfy(\.isFinite) else {
        found.report.otherShape.append(parameter.name)
        continue
      }
      found.values[parameter.name] = tensor.values
    }
    found.report.transferred = found.values.count
    guard found.values.contains(where: { name, _ in graph.parameter(name)?.role.isTrainable == true }) else {
      throw Failure(
        .data,
        printable("\(path): no tensor has the name and shape of a parameter of \(graph.name), whose first is ")
          + "\(wanted.first.map { "\($0.name) \($0.shape)" } ?? "none"); give a checkpoint of a related network")
    }
    return found
  }
}
