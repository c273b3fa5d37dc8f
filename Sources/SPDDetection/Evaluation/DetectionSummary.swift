/// Curves of a class, or averages of classes, at `DetectionCurves.points` evenly spaced points from 0 to 1.
public struct DetectionCurves: Sendable, Equatable {
  /// Number of points.
  public static let points = 1000

  /// Precision against confidence, at IoU 0.5; 1 above the highest score.
  public var precision = [Double](repeating: 0, count: points)
  /// Recall against confidence, at IoU 0.5; 0 above the highest score.
  public var recall = [Double](repeating: 0, count: points)
  /// The highest precision at this recall or a higher one, against recall, at IoU 0.5.
  public var precisionAtRecall = [Double](repeating: 0, count: points)

  public init() {}

  /// F1 against confidence: 2PR / (P + R + 1e-16).
  public var f1: [Double] { zip(precision, recall).map { 2 * $0 * $1 / ($0 + $1 + 1e-16) } }

  /// The points of the curves: 0, 1/999, … 1.
  public static var grid: [Double] { linspace(0, 1, points) }
}

/// YOLOv5's metric of a network's detections. Averages are over the classes that have labels; 0 without labels.
public struct DetectionSummary: Sendable, Equatable {
  /// The metrics of a class that has labels.
  public struct Class: Sendable, Equatable {
    public var classIndex: Int
    /// Number of images with a label of the class.
    public var images: Int
    /// Number of labels of the class.
    public var labels: Int
    /// At `confidence` and IoU 0.5.
    public var precision, recall, f1: Double
    /// AP at IoU 0.5.
    public var ap50: Double
    /// Mean of AP at the IoU thresholds 0.50, 0.55, … 0.95.
    public var ap: Double
    public var curves: DetectionCurves
  }

  /// Classes with labels, by index.
  public var classes: [Class]
  /// Number of images and of labels.
  public var images, labels: Int
  /// The confidence at which the mean of the classes' F1 is highest.
  public var confidence: Double
  public var confusion: DetectionConfusion

  public var precision: Double { mean(classes.map(\.precision)) }
  public var recall: Double { mean(classes.map(\.recall)) }
  public var f1: Double { mean(classes.map(\.f1)) }
  public var map50: Double { mean(classes.map(\.ap50)) }
  public var map50To95: Double { mean(classes.map(\.ap)) }

  /// AP of each class; for classes without labels, the mean of the others, as in YOLOv5.
  public var classAPs: [Double] {
    var values = [Double](repeating: map50To95, count: confusion.classes)
    for found in classes { values[found.classIndex] = found.ap }
    return values
  }

  /// Averages of the classes' precision, recall and precision at a recall. Their F1 is not the mean of F1: see
  /// `meanF1`.
  public var meanCurves: DetectionCurves {
    var curves = DetectionCurves()
    guard !classes.isEmpty else { return curves }
    for point in 0..<DetectionCurves.points {
      curves.precision[point] = mean(classes.map { $0.curves.precision[point] })
      curves.recall[point] = mean(classes.map { $0.curves.recall[point] })
      curves.precisionAtRecall[point] = mean(classes.map { $0.curves.precisionAtRecall[point] })
    }
    return curves
  }

  /// Mean of the classes' F1 against confidence.
  public var meanF1: [Double] {
    let all = classes.map(\.curves.f1)
    return (0..<DetectionCurves.points).map { point in mean(all.map { $0[point] }) }
  }
}
