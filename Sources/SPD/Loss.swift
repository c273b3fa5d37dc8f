/// What training minimises, composed in the model file from the network's result and what it should be.
///
///     public let denoiser = Model(
///       "denoiser", input: .image(3, 32, 32),
///       loss: .mean { output, target in sqrt((output - target) * (output - target) + 1e-6) }
///     ) { image, _ in image.through(Conv(32, kernel: 3), Conv(3, kernel: 3)) }
///
/// The compiler differentiates it and turns it into one pass over the result, whatever it is composed of. A network that
/// declares none learns by softmax cross-entropy, or, if it ends with `Detect`, by YOLOv5's loss.
public struct Loss: Sendable {
  public let expression: LossExpression

  /// The mean over all numbers of the result, of all images.
  ///
  /// - Parameter body: the loss of one number, from what the network gives and what it should be.
  public static func mean(_ body: (_ output: Scalar, _ target: Scalar) -> Scalar) -> Loss {
    Loss(.elements, body)
  }

  /// The sum over the numbers of an image's result, and the mean of that over the images.
  public static func sum(_ body: (_ output: Scalar, _ target: Scalar) -> Scalar) -> Loss {
    Loss(.images, body)
  }

  private init(_ average: LossExpression.Average, _ body: (Scalar, Scalar) -> Scalar) {
    let tape = ScalarTape()
    let output = Scalar(tape, tape.terms.append(.output))
    let target = Scalar(tape, tape.terms.append(.target))
    let result = body(output, target).index(on: tape)
    expression = LossExpression(ScalarExpression(terms: tape.terms.terms, result: result), average: average)
  }
}
