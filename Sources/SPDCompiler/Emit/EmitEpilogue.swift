import SPD

/// An epilogue as C: what is done with the vector `v` before it is stored.
struct EpilogueText {
  /// What tells it from others, as a part of a C name.
  var name: String
  /// For people.
  var description: String
  /// Declarations before the loop over a line of pixels.
  var line: [String] = []
  var statements: [String]

  var holes: [String: String] {
    ["LINE": line.joined(separator: " "), "EPILOGUE": statements.joined(separator: " ")]
  }

  /// What a template calls the things that an epilogue may read.
  struct Scope {
    /// The packed biases, which tables follow, and floats of one of their rows.
    var biases: String
    var width: String
    /// Number of the block of outputs.
    var block: String
    /// The pixel.
    var row: String
    var column: String
    /// Where the residual of the line's first pixel lies, and that of the vector as seen from there.
    var residualLine: String
    var residual: String
  }
}

extension EmitC {
  func epilogue(_ epilogue: Op.Epilogue, adds: Bool = false, in scope: EpilogueText.Scope) -> EpilogueText {
    self.epilogue(epilogue.stages, parametricRows: epilogue.parametric.map(\.row), adds: adds, in: scope)
  }

  /// - Parameter adds: whether `v` is added to what lies at `to`.
  func epilogue(_ stages: [Op.Stage], parametricRows: [Int] = [], adds: Bool = false, in scope: EpilogueText.Scope)
    -> EpilogueText
  {
    var result = EpilogueText(name: "", description: "", statements: [])
    var (names, texts) = (adds ? ["accumulate"] : [], adds ? ["adds to what is there"] : [])
    if adds { result.statements.append("v += AT(to);") }
    var rows = parametricRows[...]
    var readsTable = false
    for stage in stages {
      switch stage {
      case .normalizeByPhase:
        readsTable = true
        result.statements.append("const int phase = \(scope.row) % 2 * 2 + \(scope.column) % 2;")
        result.statements.append(
          "v = v * AT(table + (1 + phase) * width + n * VL) + AT(table + (5 + phase) * width + n * VL);")
        names.append("phases")
        texts.append("scale and shift by phase")
      case .activate(let activation) where activation.parameter != nil:
        readsTable = true
        result.statements.append(apply(activation, parameter: "table + \(rows.removeFirst()) * width + n * VL"))
        names.append(functionName(of: activation))
        texts.append(activation.name)
      case .activate(let activation):
        result.statements.append(apply(activation))
        names.append(functionName(of: activation))
        texts.append(activation.name)
      case .add:
        result.line.append("const float *residual = \(scope.residualLine);")
        result.statements.append("v += AT(residual + \(scope.residual));")
        names.append("add")
        texts.append("add")
      case .gatherStatistics: break  // of the tile as a whole
      }
    }
    if readsTable {
      result.line.append("const float *table = \(scope.biases) + \(scope.block) * BLOCK;")
      result.line.append("const ptrdiff_t width = \(scope.width);")
    }
    result.name = names.isEmpty ? "plain" : names.joined(separator: "_")
    result.description = texts.isEmpty ? "none" : texts.joined(separator: ", ")
    return result
  }

  /// The names in the templates whose shapes are numbers.
  ///
  /// - Parameters:
  ///   - from: the line's first column.
  ///   - pixel: the column, counted from there.
  func scope(
    _ node: Node, _ residual: TensorLayout?, block: String = "block", column: String = "col", from: String = "0",
    pixel: String = "col"
  )
    -> EpilogueText.Scope
  {
    let steps = [("image", residual?.imageStride), ("row", residual?.rowStride), (block, residual?.blockStride)]
    return EpilogueText.Scope(
      biases: "bias", width: "\(node.paddedChannels)", block: block, row: "row", column: column,
      residualLine: "r + " + steps.map { "\($0) * (ptrdiff_t)\($1 ?? 0)" }.joined(separator: " + ")
        + " + \(from) * BLOCK",
      residual: "\(pixel) * BLOCK + n * VL")
  }
}
