/// The twelve numbers of COCO's evaluation of boxes, from 0 to 1; -1 where there is no object to find.
///
/// AP: precision averaged over 10 IoU thresholds (0.50, 0.55, … 0.95), 101 recall points (0, 0.01, … 1) and the
/// categories that have objects. AR: the highest recall, averaged over thresholds and categories. Unless a name says
/// otherwise: the 100 best detections per image and category, objects of any area. Encoded under COCO's names.
public struct COCOMetrics: Sendable, Equatable, Codable {
  public var ap = -1.0
  /// AP at the IoU threshold 0.50 alone.
  public var ap50 = -1.0
  /// AP at the IoU threshold 0.75 alone.
  public var ap75 = -1.0
  /// AP for objects of at most 32² square pixels.
  public var apSmall = -1.0
  /// AP for objects of 32² to 96² square pixels.
  public var apMedium = -1.0
  /// AP for objects of at least 96² square pixels.
  public var apLarge = -1.0
  /// AR with the best detection per image and category.
  public var ar1 = -1.0
  /// AR with the 10 best detections per image and category.
  public var ar10 = -1.0
  public var ar100 = -1.0
  public var arSmall = -1.0
  public var arMedium = -1.0
  public var arLarge = -1.0

  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable {
    case ap = "AP"
    case ap50 = "AP50"
    case ap75 = "AP75"
    case apSmall = "AP_S"
    case apMedium = "AP_M"
    case apLarge = "AP_L"
    case ar1 = "AR1"
    case ar10 = "AR10"
    case ar100 = "AR100"
    case arSmall = "AR_S"
    case arMedium = "AR_M"
    case arLarge = "AR_L"
  }

  /// The names in COCO's order.
  public static let names = CodingKeys.allCases.map(\.rawValue)

  /// The numbers in COCO's order.
  public var values: [Double] {
    [ap, ap50, ap75, apSmall, apMedium, apLarge, ar1, ar10, ar100, arSmall, arMedium, arLarge]
  }
}

/// The outcome of COCO's evaluation.
public struct COCOEvaluation: Sendable, Equatable {
  /// The metrics of one category.
  public struct Category: Sendable, Equatable {
    public var category: COCOCategory
    /// Number of images with an object of the category.
    public var images: Int
    /// Number of objects, crowds included.
    public var objects: Int
    public var metrics: COCOMetrics
  }

  public var metrics: COCOMetrics
  /// By ascending id.
  public var categories: [Category]
  /// Number of images, of objects (crowds included) and of detections that took part.
  public var images, objects, detections: Int
  /// Number of detections in images that the annotations do not list; they are left out.
  public var unknownImages: Int
  /// Number of detections of categories that the annotations do not list; they are left out.
  public var unknownCategories: Int
  /// Number of detections whose score is NaN; they rank last.
  public var scoresNotANumber: Int
}
