import SPD

/// A composed loss and its derivative as C: what fills the template `composed_loss`.
///
/// A sum over channels is a loop of its own before the one that needs it; every loop recomputes, from the
/// result, the targets and the sums before it, what it needs of the other terms.
struct ComposedLossText {
  private let text: ScalarText
  private let loss: Int
  private let slope: Int
  private let channels: Int
  private let blockStride: Int

  init(_ loss: LossExpression, channels: Int, blockStride: Int) {
    self.loss = loss.values.result
    let (expression, slope, _) = loss.values.differentiated()
    text = ScalarText(expression: expression)
    self.slope = slope
    self.channels = channels
    self.blockStride = blockStride
  }

  var holes: [String: String] {
    let reductions = text.expression.closure(of: [loss, slope]).compactMap { index -> String? in
      guard case .reduction(let reduction, let operand) = text.expression.terms[index] else { return nil }
      return loop(index, reduction, operand)
    }
    return [
      "REDUCTIONS": reductions.joined(), "LINES": text.lines([loss, slope], indent: 8), "LOSS": text.name(loss),
      "SLOPE": text.name(slope),
    ]
  }

  /// Templates of the functions that it calls.
  static func helpers(of loss: LossExpression) -> Set<String> {
    let (expression, slope, _) = loss.values.differentiated()
    let reductions = expression.terms.flatMap { if case .reduction(_, let operand) = $0 { [operand] } else { [Int]() } }
    return ScalarText(expression: expression).helpers([loss.values.result, slope] + reductions)
  }

  private func loop(_ index: Int, _ reduction: ScalarExpression.Reduction, _ operand: Int) -> String {
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
              (void)y, (void)t;\(text.lines([operand], indent: 8))
              PUT(lanes, \(text.name(operand)));
              for (int lane = 0; lane < VL && c + lane < \(channels); lane++) \(step)
          }
          const vec v\(index) = SPLAT((float)all\(index));
      """
  }
}
