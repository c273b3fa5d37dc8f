/// What a scan of a detection data set found, split by split.
public struct DatasetReport: Encodable, Sendable {
  /// The path as it was given.
  public var data: String
  /// Sentences about the data set as a whole.
  public var notes: [String]
  public var splits: [Split] = []
  /// Why splits cannot be opened.
  public var errors: [String] = []

  public init(data: String, notes: [String]) {
    (self.data, self.notes) = (data, notes)
  }

  public struct ClassCount: Encodable, Sendable { public var name: String, objects: Int }

  /// A size in pixels, and the number of images that have it.
  public struct ImageSize: Encodable, Sendable { public var width: Int, height: Int, images: Int }

  /// A split, with the counts of ``ScanReport`` and ``DetectionStatistics``.
  public struct Split: Encodable, Sendable {
    public var split: String
    public var images: Int, labelled: Int, missing: Int, empty: Int, corrupt: Int
    public var objects: Int, crowds: Int, outlines: Int, withoutArea: Int
    /// By COCO's limits: below 32², to 96², above.
    public var small: Int, medium: Int, large: Int
    /// Per image.
    public var meanObjects: Double, maximumObjects: Int
    /// In class-index order.
    public var classes: [ClassCount]
    /// Most frequent first.
    public var imageSizes: [ImageSize]
    public var issues: [ScanIssue]
    public var notes: [String]
    /// File of the sheet of labelled images, if one was written.
    public var sheet: String?

    enum CodingKeys: String, CodingKey {
      case split, images, labelled, missing, empty, corrupt, objects, crowds, outlines, small, medium, large, classes
      case issues, notes, sheet
      case withoutArea = "without_area"
      case meanObjects = "mean_objects"
      case maximumObjects = "maximum_objects"
      case imageSizes = "image_sizes"
    }

    public init(_ split: DetectionData.Split, _ opened: OpenedDataset) {
      let scan = opened.report
      let statistics = DetectionStatistics(opened.dataset)
      self.split = split.rawValue
      (images, labelled, missing, empty, corrupt) = (scan.count, scan.labelled, scan.missing, scan.empty, scan.corrupt)
      (objects, crowds) = (statistics.objects, statistics.crowds)
      (outlines, withoutArea) = (statistics.outlines, statistics.withoutArea)
      func count(_ size: DetectionStatistics.Size) -> Int { statistics.sizes[size] ?? 0 }
      (small, medium, large) = (count(.small), count(.medium), count(.large))
      (meanObjects, maximumObjects) = (statistics.meanObjects, statistics.maximumObjects)
      classes = zip(opened.dataset.classNames, statistics.classCounts).map { ClassCount(name: $0, objects: $1) }
      imageSizes = statistics.commonImageSizes.map { ImageSize(width: $0.width, height: $0.height, images: $0.count) }
      (issues, notes) = (scan.issues, scan.notes)
    }
  }
}
