import SPDFormats
import SPDVision

/// CIFAR-10 or CIFAR-100 in memory: 32×32 images, stored as planes R, G, B, each row-major.
public struct CIFAR: ImageDataset {
  public let name: String
  public let classNames: [String]
  public let count: Int
  private let parts: [Part]

  static let side = 32
  static let imageBytes = 3 * side * side

  /// The images of one file.
  struct Part: Sendable {
    let path: String
    let bytes: [UInt8]
    /// Offset of the first image in `bytes`, and distance between images.
    let start, stride: Int
    let labels: [Int32]
  }

  init(name: String, classNames: [String], parts: [Part]) {
    self.name = name
    self.classNames = classNames
    self.parts = parts
    count = parts.reduce(0) { $0 + $1.labels.count }
  }

  public func annotation(_ index: Int) -> Annotation {
    let (part, row) = location(index)
    return .classIndex(part.labels[row])
  }

  public func origin(_ index: Int) -> String {
    let (part, row) = location(index)
    return "\(part.path), image \(row)"
  }

  public func image(_ index: Int) throws(DataError) -> Image {
    let (part, row) = location(index)
    let area = Self.side * Self.side
    let pixels = [UInt8](unsafeUninitializedCapacity: Self.imageBytes) { target, filled in
      part.bytes.withUnsafeBufferPointer { bytes in
        let planes = bytes.baseAddress! + part.start + row * part.stride
        for pixel in 0..<area {
          target[pixel * 3] = planes[pixel]
          target[pixel * 3 + 1] = planes[area + pixel]
          target[pixel * 3 + 2] = planes[2 * area + pixel]
        }
      }
      filled = Self.imageBytes
    }
    return Image(width: Self.side, height: Self.side, pixels: pixels)
  }

  private func location(_ index: Int) -> (Part, row: Int) {
    var row = index
    for part in parts {
      if row < part.labels.count { return (part, row) }
      row -= part.labels.count
    }
    preconditionFailure("\(name) has \(count) images, so none of index \(index)")
  }
}

/// The two data sets, which differ only in names.
enum CIFARVariant {
  case ten, hundred

  var name: String { self == .ten ? "CIFAR-10" : "CIFAR-100" }
  var classCount: Int { self == .ten ? 10 : 100 }

  /// Files without extension; the last one is for validation.
  var files: (training: [String], validation: [String]) {
    switch self {
    case .ten: ((1...5).map { "data_batch_\($0)" }, ["test_batch"])
    case .hundred: (["train"], ["test"])
    }
  }

  /// Number of label bytes before the pixels in the binary version; the last one is the label, after CIFAR-100's
  /// coarse label.
  var labelBytes: Int { self == .ten ? 1 : 2 }

  var labelKey: String { self == .ten ? "labels" : "fine_labels" }

  /// The files with the class names: the text file of the binary version, the pickle of the Python version, and its
  /// key.
  var names: (text: String, pickle: String, key: String) {
    switch self {
    case .ten: ("batches.meta.txt", "batches.meta", "label_names")
    case .hundred: ("fine_label_names.txt", "meta", "fine_label_names")
    }
  }
}
