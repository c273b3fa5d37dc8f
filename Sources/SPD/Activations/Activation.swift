/// An activation function that the model file writes down.
///
///     Activation("quick_gelu") { x in x * sigmoid(1.702 * x) }
///
/// It is differentiated, fused into the kernel that stores its argument and exported like any other.
public struct Activation: OperationLayer {
  public var site: Site
  public let op: Op

  /// - Parameters:
  ///   - name: what the graph's text and the C code call it: lower-case letters, digits and underscores.
  ///   - formula: f(x); it is called once, to write the arithmetic down.
  public init(_ name: String, file: String = #fileID, line: Int = #line, formula: (_ x: Scalar) -> Scalar) {
    op = .activation(Op.Activation(name: name, formula: ScalarExpression { x, _ in formula(x) }))
    site = Site(file, line)
  }
}

extension ScalarExpression {
  /// Writes down a function of one number, and of a parameter if it has one.
  init(withParameter hasParameter: Bool = false, _ formula: (_ x: Scalar, _ parameter: Scalar) -> Scalar) {
    let tape = ScalarTape()
    let x = Scalar(tape, tape.terms.append(.output))
    let parameter = hasParameter ? Scalar(tape, tape.terms.append(.target)) : 0
    let result = formula(x, parameter).index(on: tape)
    self.init(terms: tape.terms.terms, result: result)
  }
}
