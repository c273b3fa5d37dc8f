import SPD

/// A composed loss and its derivative as C: what fills the template `composed_loss`.
///
/// A sum over channels is a loop of its own before the one that needs it; every loop recomputes, from the
/// result, the targets and the sums before it, what it needs of the other terms.
struct ComposedLossText {
  private let expression: LossExpression
  private let loss: Int
  private let slope: Int
  private let channels: Int
  private let blockStride: Int

  init(_ loss: LossExpression, channels: Int, blockStride: Int) {
    self.loss = loss.result
    (expression, slope) = loss.differentiated()
    self.channels = channels
    self.blockStride = blockStride
  }

  var holes: [String: String] {
    let reductions = expression.closure(of: [loss, slope]).compactMap { index -> String? in
      guard case .reduction(let reduction, let operand) = expression.terms[index] else { return nil }
      return loop(index, reduction, operand)
    }
    return [
      "REDUCTIONS": reductions.joined(), "LINES": lines([loss, slope], indent: 8), "LOSS": name(loss),
      "SLOPE": name(slope),
    ]
  }

  private func loop(_ index: Int, _ reduction: LossExpression.Reduction, _ operand: Int) -> String {
    let (start, step) =
      switch reduction {
      case .sum: ("0.0", "all\(index) += lanes[lane];")
      // NaN stays.
      case .maximum:
        ("-3.402823466e38", "if (lanes[lane] > all\(index) || lanes[lane] != lanes[lane]) all\(index) = lanes[lane];")
      }
    return """

          double all\(index) = \(start);
          for (int c = 0; c < PADDED; c += VL) {
              const vec y = AT(x + c / BLOCK * (ptrdiff_t)\(blockStride) + c % BLOCK), t = AT(target + c);
              (void)y, (void)t;\(lines([operand], indent: 8))
              PUT(lanes, \(name(operand)));
              for (int lane = 0; lane < VL && c + lane < \(channels); lane++) \(step)
          }
          const vec v\(index) = SPLAT((float)all\(index));
      """
  }

  /// What the roots need besides y, t and sums over channels, and themselves.
  private func lines(_ roots: [Int], indent: Int) -> String {
    var needed: Set<Int> = []
    var waiting = roots
    while let index = waiting.popLast() {
      if case .reduction = expression.terms[index] { continue }
      if needed.insert(index).inserted { waiting += expression.terms[index].operands }
    }
    let space = "\n" + String(repeating: " ", count: indent)
    return needed.sorted().compactMap { line($0).map { space + $0 } }.joined()
  }

  private func name(_ index: Int) -> String {
    switch expression.terms[index] {
    case .output: "y"
    case .target: "t"
    default: "v\(index)"
    }
  }

  private func line(_ index: Int) -> String? {
    switch expression.terms[index] {
    case .output, .target, .reduction: return nil
    case .constant(let value): return "const vec v\(index) = SPLAT(\(Float(value))f);"
    case .function(let function, let a):
      return "vec v\(index) = \(name(a)); \(Self.function(function))(&v\(index));"
    case .operation(let operation, let a, let b):
      let (x, y) = (name(a), name(b))
      let text =
        switch operation {
        case .add: "\(x) + \(y)"
        case .subtract: "\(x) - \(y)"
        case .multiply: "\(x) * \(y)"
        case .divide: "\(x) / \(y)"
        // What is neither at least nor below is NaN, and so is the sum.
        case .maximum: "SELECT(\(x) >= \(y), \(x), SELECT(\(x) < \(y), \(y), \(x) + \(y)))"
        case .atLeast: "SELECT(\(x) >= \(y), SPLAT(1.0f), SPLAT(0.0f))"
        }
      return "const vec v\(index) = \(text);"
    }
  }

  private static func function(_ function: LossExpression.Function) -> String {
    switch function {
    case .exp: "exp_lanes"
    case .log: "loss_log"
    case .sqrt: "loss_sqrt"
    case .sigmoid: "loss_sigmoid"
    case .softplus: "loss_softplus"
    case .sign: "loss_sign"
    }
  }
}
