import Models
import SPD
import TestSupport
import Testing

@testable import SPDCompiler

@Suite struct ShortBranchesFirstTests {
  private static func lowered(_ graph: Graph, disabled: Set<String> = []) throws -> Graph {
    try Pipeline.lowered(graph, disabled: disabled.union(["recompute"]), mode: .training)
  }

  /// The convolutions of the way there, then those of which the way back finds the weights' gradients.
  private static func order(_ graph: Graph) -> (there: [String], back: [String]) {
    var (there, back) = ([String](), [String]())
    for node in graph.nodes {
      switch node.op {
      case .convolution(let op) where op.adjoint == nil: there.append(node.layer)
      case .training(.weightGradient): back.append(node.layer)
      default: break
      }
    }
    return (there, back)
  }

  @Test func aShortcutRunsFirstAndItsGradientLast() throws {
    let graph = try Shipped.model("resnet18-spd").graph(size: Size2D(32), batch: 1)
    func block(_ layers: [String]) -> [String] {
      layers.filter { $0.hasPrefix("conv3_x.0.") }.map { String($0.dropFirst("conv3_x.0.".count)) }
    }
    let before = Self.order(try Self.lowered(graph, disabled: ["short-branches-first"]))
    #expect(block(before.there) == ["residual_function.0", "residual_function.4", "shortcut.0"])
    #expect(block(before.back) == ["shortcut.0", "residual_function.4", "residual_function.0"])
    let after = Self.order(try Self.lowered(graph))
    #expect(block(after.there) == ["shortcut.0", "residual_function.0", "residual_function.4"])
    #expect(block(after.back) == ["residual_function.4", "residual_function.0", "shortcut.0"])
  }

  @Test func aChainStaysAsItIs() throws {
    let graph = try traced(16, 8, 8, batch: 2) {
      $0.through(Conv(16, kernel: 3), Conv(16, kernel: 3), GlobalAveragePool(), Flatten(), Linear(4))
    }
    #expect(try Self.lowered(graph).brief == Self.lowered(graph, disabled: ["short-branches-first"]).brief)
  }

  @Test(arguments: ["resnet18-spd", "resnet50-spd"])
  func memoryOfResNetsFalls(name: String) throws {
    let graph = try Shipped.model(name).graph(size: Size2D(64), batch: 8)
    func arena(_ disabled: Set<String>) throws -> Int {
      let lowered = try Pipeline.lowered(graph, disabled: disabled, mode: .training)
      return try LowerToPlan.plan(lowered, prefix: "net", target: .x86v3, mode: .training).arenaCount
    }
    #expect(try arena([]) < arena(["short-branches-first"]))
  }
}
