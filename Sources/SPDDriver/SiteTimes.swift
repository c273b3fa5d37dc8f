import Foundation
import SPD
import SPDCompiler

/// Maps the steps of a variant to space-to-depth sites, and keeps the times of each site.
///
/// Consecutive steps of the same sites form a run that is timed by one call: the loops of an unfused site then synchronise
/// as they do in the network, and call overhead is not added to each of them.
package struct SiteTimes {
  package let runs: [(steps: Range<Int>, sites: [Int])]
  /// Times of each site.
  package private(set) var times: [Times]

  /// - Parameters:
  ///   - declared: the graph that contains the sites.
  ///   - plan: the plan of that graph for one variant.
  package init(_ sites: [SpaceToDepthSite], of declared: Graph, in plan: Plan) {
    let members = sites.map { site in
      let nodes = site.nodes.map { declared[$0] }
      // A pass that merges nodes keeps one of their ids, and a convolution keeps its layer.
      return (ids: Set(site.nodes), layers: Set(nodes.filter(\.op.isConvolution).map(\.layer)))
    }
    var runs: [(steps: Range<Int>, sites: [Int])] = []
    for (index, step) in plan.steps.enumerated() {
      let node = step.node.map { plan.graph[$0] }
      let owners = members.indices.filter { site in
        node.map { members[site].ids.contains($0.id) || members[site].layers.contains($0.layer) } ?? false
      }
      if let last = runs.last, last.sites == owners {
        runs[runs.count - 1].steps = last.steps.lowerBound..<index + 1
      } else {
        runs.append((index..<index + 1, owners))
      }
    }
    self.runs = runs
    times = Array(repeating: Times(), count: sites.count)
  }

  /// Times all steps once in order, so that cache contents are those of a normal run.
  package mutating func measure(in round: Int, _ time: (Range<Int>) throws -> Double) rethrows {
    var sums = Array(repeating: 0.0, count: times.count)
    for run in runs {
      let elapsed = try time(run.steps)
      for site in run.sites { sums[site] += elapsed }
    }
    for site in sums.indices { times[site].append(sums[site], in: round) }
  }
}

extension Op {
  fileprivate var isConvolution: Bool { if case .convolution = self { true } else { false } }
}

/// Times of one space-to-depth in both variants.
public struct SiteReport: Encodable, Sendable {
  public struct Variant: Encodable, Sendable {
    public var name: String, minMs: Double, medianMs: Double
    private enum CodingKeys: String, CodingKey {
      case name
      case minMs = "min_ms"
      case medianMs = "median_ms"
    }
  }

  public var layer: String
  /// Input shape of the space-to-depth: C×H×W.
  public var input: String
  public var output: String
  public var variants: [Variant]
  public var ratio: Ratio

  package static func table(_ sites: [SiteReport]) -> String {
    guard let first = sites.first else { return "this network has no space-to-depth\n" }
    let names = first.variants.map(\.name)
    let rows = sites.map { site in
      [site.layer, "\(site.input) → \(site.output)"]
        + site.variants.map { String(format: "%.3f", $0.medianMs) } + [site.ratio.text]
    }
    return columns(
      [["space-to-depth", "shapes"] + names.map { "\($0) ms" } + ["\(names[0]) is faster by (95 %)"]] + rows,
      right: [2, 3])
  }
}
