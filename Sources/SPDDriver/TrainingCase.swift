import Foundation

/// A few training steps with synthetic weights and input, and their reference results, as run by
/// `spdc verify --against CASE.json`.
///
/// Input images are `uniform("input")`. The optimiser updates every parameter.
package struct TrainingCase: Codable {
  package struct Optimizer: Codable {
    package var lr: Double
    package var momentum: Double?
    package var weight_decay: Double?
    package var nesterov: Bool?
    /// sgd, adam or adamw; default sgd. Adam's β₁ is `momentum`, default 0.9.
    package var name: String?
  }

  /// Hyperparameters of the YOLOv5 loss under YOLOv5's names; gains are already scaled.
  package struct Hyperparameters: Codable {
    package var box: Double?
    package var obj: Double?
    package var cls: Double?
    package var anchor_t: Double?
    package var fl_gamma: Double?
    package var label_smoothing: Double?
    package var obj_pw: Double?
    package var cls_pw: Double?
    package var autobalance: Bool?
  }

  package struct Step: Codable {
    /// Loss before the update; for a detector, the total that is differentiated.
    package var loss: Double
    /// Box, objectness and class terms of a detector's loss.
    package var items: [Double]?
    /// L2 norm of each parameter's gradient, in the first step.
    package var grad_l2: [String: Double]?
    /// First four values of each parameter's gradient, in the first step.
    package var grad_head: [String: [Double]]?
  }

  /// Deviation of a float32 run of the reference from the float64 reference. Tolerances are at least ten times that.
  package struct Deviation: Codable {
    package var loss: Double?
    package var grad_l2: Double?
    package var grad_head: Double?
    package var after: Double?
  }

  package var model: String
  /// Height and width.
  package var hw: [Int]
  package var batch: Int
  package var classes: Int?
  package var labels: [Int32]?
  package var label_smoothing: Double?
  /// Rows of image, class, centre x, centre y, width, height, as fractions of the image.
  package var targets: [[Float]]?
  package var hyp: Hyperparameters?
  package var optimizer: Optimizer
  package var float32_deviation: Deviation?
  package var steps: [Step]
  /// L2 norm of every state entry after the last step.
  package var after: [String: Double]

  package static func read(_ path: String) throws -> TrainingCase {
    let data = try Files.read(path)
    let found: TrainingCase
    do {
      found = try JSONDecoder().decode(TrainingCase.self, from: data)
    } catch DecodingError.keyNotFound(let key, let context) {
      let place = (context.codingPath.map(\.stringValue) + [key.stringValue]).joined(separator: ".")
      throw Failure(.data, "\(path) is not a training case: \(place) is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
      throw Failure(
        .data, "\(path): \(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)")
    } catch {
      throw Failure(.data, "\(path) is not JSON: \(error.localizedDescription)")
    }
    guard found.hw.count == 2, found.hw.allSatisfy({ $0 > 0 }), found.batch > 0 else {
      throw Failure(.data, "\(path): hw must be height and width, and batch 1 or more")
    }
    guard (found.labels == nil) != (found.targets == nil) else {
      throw Failure(.data, "\(path) must have either labels or targets")
    }
    guard !found.steps.isEmpty else { throw Failure(.data, "\(path) has no steps") }
    return found
  }
}

/// One computed value and its reference.
package struct TrainingDeviation: Encodable {
  package var what: String
  package var found: Double
  package var expected: Double
  /// Relative deviation; see `TrainingCase.deviations(of:)` for the scales.
  package var deviation: Double
  package var limit: Double
  package var isWithin: Bool { deviation <= limit }
}

extension TrainingCase {
  /// Compares computed results with the reference.
  ///
  /// Deviations of losses are relative to max(|loss|, 0.1), those of norms to the larger of the norm and 10⁻⁴ of the largest
  /// norm, those of gradient heads to the gradient's norm.
  package func deviations(of found: TrainingCase) -> [TrainingDeviation] {
    var all: [TrainingDeviation] = []
    func add(_ what: String, _ a: Double, _ b: Double, per scale: Double, _ limit: Double, _ float32: Double?) {
      let deviation = abs(a - b) / scale
      all.append(
        TrainingDeviation(
          what: what, found: a, expected: b, deviation: deviation.isNaN ? .infinity : deviation,
          limit: max(limit, 10 * (float32 ?? 0))))
    }
    for (index, (mine, reference)) in zip(found.steps, steps).enumerated() {
      add(
        "step \(index) loss", mine.loss, reference.loss, per: max(abs(reference.loss), 0.1), 2e-4,
        float32_deviation?.loss)
      for (k, (a, b)) in zip(mine.items ?? [], reference.items ?? []).enumerated() {
        add(
          "step \(index) \(["box", "objectness", "classes"][min(k, 2)])", a, b, per: max(abs(b), 0.1), 2e-4,
          float32_deviation?.loss)
      }
      let largest = reference.grad_l2?.values.max() ?? 0
      for (name, b) in (reference.grad_l2 ?? [:]).sorted(by: { $0.key < $1.key }) {
        let scale = max(b, 1e-4 * largest)
        add("grad_l2 \(name)", mine.grad_l2?[name] ?? .nan, b, per: scale, 1e-3, float32_deviation?.grad_l2)
        for (k, value) in (reference.grad_head?[name] ?? []).enumerated() {
          add(
            "grad_head \(name)[\(k)]", mine.grad_head?[name]?[k] ?? .nan, value, per: scale, 1e-3,
            float32_deviation?.grad_head)
        }
      }
    }
    let largest = after.values.max() ?? 0
    for (name, b) in after.sorted(by: { $0.key < $1.key }) {
      add("after \(name)", found.after[name] ?? .nan, b, per: max(b, 1e-4 * largest), 1e-3, float32_deviation?.after)
    }
    return all
  }
}
