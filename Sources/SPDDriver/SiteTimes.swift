import Foundation
import SPD
import SPDCompiler

/// Which steps of a variant belong to which space-to-depth, and how long they took.
///
/// Steps are joined into the longest runs that begin and end where a site does, and each run is timed by one call: the
/// loops of an unfused site then wait for each other as they do in the network, and no call adds to any of them.
package struct SiteTimes {
  package let runs: [(steps: Range<Int>, sites: [Int])]
  /// By site.
  package private(set) var times: [Times]

  /// - Parameters:
  ///   - declared: the graph that the sites are of.
  ///   - plan: that graph, compiled in some way.
  package init(_ sites: [SpaceToDepthSite], of declared: Graph, in plan: Plan) {
    let members = sites.map { site in
      let nodes = site.nodes.map { declared[$0] }
      // A pass keeps the number of one of the nodes that it joins, and a convolution its layer.
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

  /// One round: all steps in their order, so that each finds in the caches what it finds there in the network.
  package mutating func measure(in sitting: Int, _ time: (Range<Int>) throws -> Double) rethrows {
    var sums = Array(repeating: 0.0, count: times.count)
    for run in runs {
      let elapsed = try time(run.steps)
      for site in run.sites { sums[site] += elapsed }
    }
    for site in sums.indices { times[site].append(sums[site], in: sitting) }
  }
}

extension Op {
  fileprivate var isConvolution: Bool { if case .convolution = self { true } else { false } }
}

/// One space-to-depth in both variants.
package struct SiteReport: Encodable {
  package struct Variant: Encodable {
    package var name: String, minMs: Double, medianMs: Double
    private enum CodingKeys: String, CodingKey {
      case name
      case minMs = "min_ms"
      case medianMs = "median_ms"
    }
  }

  package var layer: String
  /// Of the space-to-depth: C×H×W.
  package var input: String
  package var output: String
  package var variants: [Variant]
  package var ratio: Ratio

  package static func table(_ sites: [SiteReport]) -> String {
    guard let first = sites.first else { return "there is no space-to-depth in this network\n" }
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
