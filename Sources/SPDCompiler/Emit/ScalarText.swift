import SPD

/// Scalar arithmetic as C: a statement for each term, on vectors of numbers that do not know of each other.
struct ScalarText {
  let expression: ScalarExpression

  /// The variable of a term's value.
  func name(_ index: Int) -> String {
    switch expression.terms[index] {
    case .output: "y"
    case .target: "t"
    case .constant, .function, .operation, .reduction: "v\(index)"
    }
  }

  /// What the roots need besides y, t and sums over channels, and themselves: each on a line of its own.
  func lines(_ roots: [Int], indent: Int) -> String {
    let space = "\n" + String(repeating: " ", count: indent)
    return needed(roots).compactMap { line($0).map { space + $0 } }.joined()
  }

  /// Templates of the functions that the roots call, beside those of `vector_math`.
  func helpers(_ roots: [Int]) -> Set<String> {
    var result: Set<String> = []
    for index in needed(roots) {
      guard case .function(let function, _) = expression.terms[index] else { continue }
      result.insert(function.text.template)
    }
    return result
  }

  private func needed(_ roots: [Int]) -> [Int] {
    var needed: Set<Int> = []
    var waiting = roots
    while let index = waiting.popLast() {
      if case .reduction = expression.terms[index] { continue }
      if needed.insert(index).inserted { waiting += expression.terms[index].operands }
    }
    return needed.sorted()
  }

  private func line(_ index: Int) -> String? {
    switch expression.terms[index] {
    case .output, .target, .reduction: nil
    case .constant(let value): "const vec v\(index) = SPLAT(\(Float(value))f);"
    case .function(let function, let a): "vec v\(index) = \(name(a)); \(function.text.name)(&v\(index));"
    case .operation(let operation, let a, let b): "const vec v\(index) = \(text(operation, a, b));"
    }
  }

  private func text(_ operation: ScalarExpression.Operation, _ a: Int, _ b: Int) -> String {
    let (x, y) = (name(a), name(b))
    switch operation {
    case .add: return "\(x) + \(y)"
    case .subtract: return "\(x) - \(y)"
    case .multiply: return "\(x) * \(y)"
    case .divide: return "\(x) / \(y)"
    case .maximum: return choice(">", "<", a, b)
    case .minimum: return choice("<", ">", a, b)
    case .atLeast: return "SELECT(\(x) >= \(y), SPLAT(1.0f), SPLAT(0.0f))"
    }
  }

  /// The first where it is on this side of the second, else the second; NaN where either is, which no constant can be.
  private func choice(_ side: String, _ other: String, _ a: Int, _ b: Int) -> String {
    let (x, y) = (name(a), name(b))
    if case .constant = expression.terms[a] { return "SELECT(\(y) \(other) \(x), \(x), \(y))" }
    if case .constant = expression.terms[b] { return "SELECT(\(x) \(other) \(y), \(y), \(x))" }
    return "SELECT(\(x) \(side)= \(y), \(x), SELECT(\(x) \(other) \(y), \(y), \(x) + \(y)))"
  }
}

extension ScalarExpression.Function {
  /// The C function that replaces a vector by its function's values, and the template that defines it.
  fileprivate var text: (name: String, template: String) {
    switch self {
    case .exp: ("exp_lanes", "vector_math")
    case .log: ("loss_log", "composed_math")
    case .sqrt: ("loss_sqrt", "composed_math")
    case .sigmoid: ("loss_sigmoid", "composed_math")
    case .softplus: ("loss_softplus", "composed_math")
    case .sign: ("loss_sign", "composed_math")
    case .tanh: ("tanh_lanes", "tanh")
    case .erf: ("erf_lanes", "erf")
    }
  }
}
