import SPDVision

/// The 80 categories of COCO.
public enum COCOCategories {
  /// The category id of each class index, from 1 to 90: ten ids were never used.
  public static let ids: [Int] = (1...90).filter { ![12, 26, 29, 30, 45, 66, 68, 69, 71, 83].contains($0) }

  /// The name of each class index.
  public static var names: [String] { cocoNames }

  /// Ids and names in class-index order.
  public static var all: [COCOCategory] { zip(ids, names).map { COCOCategory(id: $0, name: $1) } }

  /// The category ids of a data set's classes: COCO's own where the classes are its eighty, else the class indices.
  public static func ids(for classNames: [String]) -> [Int] {
    classNames == names ? ids : Array(classNames.indices)
  }
}
