import Models
import SPD
import Testing

@testable import SPDCompiler

/// Plans that update each parameter as soon as its gradient is there.
@Suite struct InsertUpdatesTests {
  private static func plan(_ name: String, updatesInBackward: Bool = true) throws -> Plan {
    let graph = try Shipped.model(name).graph(size: Size2D(64), batch: 2)
    return try LowerToPlan.plan(
      Pipeline.lowered(graph, mode: .training), prefix: "net", target: .x86v3, mode: .training, maxTargets: 8,
      updatesInBackward: updatesInBackward)
  }

  private static let names = ["resnet18-spd", "resnet50", "yolov5-spd-n"]

  @Test(arguments: names)
  func everyParameterIsUpdatedOnce(name: String) throws {
    let plan = try Self.plan(name)
    var updated: [String] = []
    for step in plan.steps { if case .update(let names) = step.kernel { updated += names } }
    let wanted = plan.state!.entries.filter { $0.group >= 0 || $0.isAveraged }.map(\.name)
    #expect(updated.sorted() == wanted.sorted())
    #expect(Set(plan.gradients.map(\.parameter)) == Set(plan.state!.entries.filter { $0.group >= 0 }.map(\.name)))
  }

  /// Not before its gradient is whole, and not while another step still reads it.
  @Test(arguments: names)
  func updatesComeBehindAllThatReadsTheParameter(name: String) throws {
    let plan = try Self.plan(name)
    for gradient in plan.gradients {
      let users = plan.steps.indices.filter { index in
        plan.steps[index].node.map { plan.graph[$0].op.parameterNames.contains(gradient.parameter) } ?? false
      }
      #expect(users.max()! < gradient.last, "\(gradient.parameter)")
      let first = plan.graph[plan.steps[gradient.first].node!].op
      #expect(first.gradientNames.contains(gradient.parameter), "\(gradient.parameter)")
    }
  }

  /// Gradients, workspaces and slots of statistics apart from each other and from all results.
  @Test(arguments: names, [false, true])
  func whatLivesAtTheSameTimeLiesApart(name: String, updatesInBackward: Bool) throws {
    let plan = try Self.plan(name, updatesInBackward: updatesInBackward)
    #expect(plan.workspaces.contains { $0.first < $0.step })
    typealias Span = (name: String, offset: Int, count: Int, first: Int, last: Int)
    let spans =
      plan.gradients.map { Span($0.parameter, $0.offset, $0.count, $0.first, $0.last) }
      + plan.workspaces.map { Span("workspace of \($0.step)", $0.offset, $0.count, $0.first, $0.step) }
    // Results may share memory with each other: gradients in front of and behind a normalisation do.
    let results = plan.buffers.map { Span("%\($0.node)", $0.offset, $0.layout.count, $0.first, $0.last) }
    for (index, a) in spans.enumerated() {
      #expect(a.offset % 16 == 0 && a.offset >= 0 && a.offset + a.count <= plan.arenaCount)
      for b in spans[(index + 1)...] + results where a.first <= b.last && b.first <= a.last {
        #expect(a.offset + a.count <= b.offset || b.offset + b.count <= a.offset, "\(a.name) and \(b.name)")
      }
    }
  }

  /// Hardly more than the largest gradient, which is 46 % of all of them, waits at any time.
  @Test func gradientsTakeTurns() throws {
    let plan = try Self.plan("resnet18-spd")
    let live = plan.steps.indices.map { step in
      plan.gradients.filter { $0.first <= step && step <= $0.last }.reduce(0) { $0 + $1.count }
    }
    #expect(live.max()! < plan.gradients.reduce(0) { $0 + $1.count } / 2)
    #expect(try Self.plan("resnet18-spd", updatesInBackward: false).gradients.isEmpty)
  }
}
