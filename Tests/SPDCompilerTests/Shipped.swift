import Models
import SPD

@testable import SPDCompiler

/// The shipped networks at their declared sizes, and what the pipeline makes of them; each is made once.
enum Shipped {
  private static let graphs: [String: Graph] = Dictionary(
    uniqueKeysWithValues: shippedModels.map { ($0.name, try! $0.graph()) })
  private static let fused = graphs.mapValues { try! Pipeline.lowered($0) }
  private static let unfused = graphs.mapValues { try! Pipeline.lowered($0, unfused: true) }

  static let names = shippedModels.map(\.name)
  static func model(_ name: String) -> Model { shippedModels.first { $0.name == name }! }
  static func graph(_ name: String) -> Graph { graphs[name]! }
  static func lowered(_ name: String, unfused: Bool = false) -> Graph { (unfused ? Self.unfused : fused)[name]! }
}
