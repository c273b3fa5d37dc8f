import SPD
import SPDCompiler

/// Counts of fused and elided operations, for the summary.
package struct Fusions: Codable {
  package var spaceToDepthsFused = 0
  package var savedBytes = 0
  package var batchNormsFolded = 0
  package var convolutionsMerged = 0
  package var concatsElided = 0
  package var upsamplesElided = 0
  package var copies = 0

  package init(_ graph: Graph, _ records: [Pipeline.Record]) {
    func layers(_ pass: String) -> Set<String> {
      Set(records.filter { $0.pass == pass }.flatMap(\.remarks).filter(\.fired).map(\.layer))
    }
    let copied = Set(records.filter { $0.pass == "lower-views" }.flatMap(\.remarks).map(\.layer))
    let fused = layers("fuse-space-to-depth").subtracting(copied)
    spaceToDepthsFused = fused.count
    for node in graph.nodes {
      if case .spaceToDepth = node.op, fused.contains(node.layer) { savedBytes += 4 * node.shape.count }
    }
    batchNormsFolded = layers("fold-batch-norm").count
    convolutionsMerged = layers("merge-sibling-convolutions").count
    concatsElided = layers("elide-concat").subtracting(copied).count
    upsamplesElided = layers("elide-upsample").subtracting(copied).count
    copies = copied.count
  }

  /// The counts as text.
  package var lines: [String] {
    func many(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
    let reindexings = "\(many(concatsElided, "concat")) and \(many(upsamplesElided, "upsample")) elided"
    return [
      "\(many(spaceToDepthsFused, "space-to-depth")) read in place (saves \(megabytes(savedBytes)) of copies), \(reindexings)",
      "\(many(batchNormsFolded, "BatchNorm")) folded, \(many(convolutionsMerged, "convolution")) merged with a sibling"
        + (copies == 0 ? "" : ", \(copies) copied"),
    ]
  }
}
