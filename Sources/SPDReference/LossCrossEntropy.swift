import SPD
import SPDCompiler

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension LossOracle {
  /// The results of softmax cross-entropy for a batch.
  public struct CrossEntropy: Sendable {
    /// Mean over the labelled images; 0 if there is none.
    public var loss: Double
    /// d loss / d logits, in their shape; zero for images without a label.
    public var gradient: Values
    /// Top-1 and top-5 hits. Among equal logits the first counts as the largest.
    public var firsts: Int
    public var fives: Int
  }

  /// Computes softmax cross-entropy with label smoothing as PyTorch defines it.
  ///
  /// With p = softmax(x), C classes and smoothing ε, an image of label l has the loss −(1 − ε)·ln p_l − ε/C·Σ ln p_c;
  /// the gradient is (p_c − (1 − ε)·[c = l] − ε/C) / n over n labelled images.
  ///
  /// - Parameters:
  ///   - logits: N×C×1×1.
  ///   - labels: one class per image; images with a negative label are ignored.
  public static func crossEntropy(_ logits: Values, labels: [Int], smoothing: Double = 0) -> CrossEntropy {
    let classes = logits.shape.channels
    let counted = Double(labels.count { $0 >= 0 })
    var result = CrossEntropy(loss: 0, gradient: Values(zeros: logits.shape), firsts: 0, fives: 0)
    for (image, label) in labels.enumerated() where label >= 0 {
      let x = (0..<classes).map { logits[image, $0, 0, 0] }
      let top = x.max()!
      let logSum = top + log(x.reduce(0) { $0 + exp($1 - top) })
      for c in 0..<classes {
        let wanted = (c == label ? 1 - smoothing : 0) + smoothing / Double(classes)
        result.loss -= wanted * (x[c] - logSum) / counted
        result.gradient[image, c, 0, 0] = (exp(x[c] - logSum) - wanted) / counted
      }
      let rank = (0..<classes).count { x[$0] > x[label] || (x[$0] == x[label] && $0 < label) }
      result.firsts += rank < 1 ? 1 : 0
      result.fives += rank < 5 ? 1 : 0
    }
    return result
  }
}
