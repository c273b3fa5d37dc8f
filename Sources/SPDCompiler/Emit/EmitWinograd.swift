import SPD

extension EmitC {
  /// The transforms of inputs and outputs, for convolutions and for the gradients of their weights.
  func transforms(_ winograd: Winograd) -> Support {
    Support(
      template: "winograd_transforms",
      holes: [
        "M": "\(winograd.size)", "N": "\(winograd.edge)",
        "POINTS": winograd.points.map { "\($0)" }.joined(separator: ", "),
        "INPUT": winograd.inputStatements.joined(separator: "\n    "),
        "OUTPUT": winograd.outputStatements.joined(separator: "\n    "),
      ])
  }
}
