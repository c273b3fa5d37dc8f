import SPD

// What the kernels of batch normalisation in training have in common.
extension EmitC {
  func extent(_ shape: Shape) -> [String: String] {
    [
      "IMAGES": "\(shape.batch)", "ROWS": "\(shape.height)", "COLS": "\(shape.width)", "CHANNELS": "\(shape.channels)",
      "BLOCKS": "\(ChooseTile.ceilDivide(shape.channels, channelBlock))",
    ]
  }

  /// Parameters by phase, and how rows are cut into chunks.
  func phases(_ norm: Op.BatchNorm, _ shape: Shape) -> [String: String] {
    var sequences = [(first: 0, stride: 1)]
    if let enclosing = norm.enclosing {
      sequences = [(0, 0), (0, 1), (1, 0), (1, 1)].map {
        enclosing.outputChannels(rowPhase: $0.0, columnPhase: $0.1, of: shape.channels)
      }
    }
    return [
      "PHASES": "\(norm.phases)", "FIRST": sequences.map { "\($0.first)" }.joined(separator: ", "),
      "STRIDE": sequences.map { "\($0.stride)" }.joined(separator: ", "),
      "CHUNK": "\(BatchSlots.chunkRows(shape))",
    ]
  }

  /// Vectors of the statistics' table by its rows; neutral ones without a normalisation.
  func tableEntries(_ op: Op.Normalize, _ rows: [String: Int]) -> [String: String] {
    guard let norm = op.norm else { return ["SCALE": "SPLAT(1.0f)", "SHIFT": "SPLAT(0.0f)"] }
    return rows.mapValues { "AT(line + (\($0) * \(norm.phases) + phase) * WIDTH)" }
  }

  /// Multiplies g by the slope of the final ReLU, which its result y tells.
  func finalSlope(_ op: Op.Normalize) -> String {
    op.stages.finalActivation == nil ? "" : "g = SELECT(AT(y + at) > 0.0f, g, SPLAT(0.0f)); "
  }

  /// Multiplies g by the slope of the activation at u.
  func slope(_ op: Op.Normalize) -> String { op.stages.activation.map { "\(toSlope($0)) g *= u;" } ?? "" }
}
