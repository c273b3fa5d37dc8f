import SPD

/// What the generated code is for. Some passes are right only for one of them.
public enum Mode: String, Codable, Sendable, CaseIterable {
  case inference
  case training
}

/// One rewrite of a graph.
public struct Pass: Sendable {
  /// Kebab-case, as `--disable-pass` and `--dump-after` take it.
  public let name: String
  public let modes: Set<Mode>
  /// A lowering is needed for correctness; a fusion only makes the result faster, and may be left out.
  public let kind: Kind
  let run: @Sendable (inout Graph, inout [Remark]) throws -> Void

  public enum Kind: Sendable { case fusion, lowering }

  init(
    _ name: String, _ kind: Kind, modes: Set<Mode> = [.inference, .training],
    run: @escaping @Sendable (inout Graph, inout [Remark]) throws -> Void
  ) {
    self.name = name
    self.modes = modes
    self.kind = kind
    self.run = run
  }
}

/// Why a pass changed something at a layer, or why it did not.
public struct Remark: Codable, Equatable, Sendable {
  public var pass: String
  public var layer: String
  public var source: SourceLocation
  public var fired: Bool
  public var message: String

  init(_ pass: String, _ node: Node, fired: Bool, _ message: String) {
    self.pass = pass
    layer = node.layer
    source = node.source
    self.fired = fired
    self.message = message
  }
}
