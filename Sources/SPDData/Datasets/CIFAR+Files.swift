import Foundation
import SPDFormats

/// The two versions in which CIFAR is distributed.
enum CIFARVersion {
  /// Records of label and pixels: `data_batch_1.bin`.
  case binary
  /// Pickles of Python 2: `data_batch_1`.
  case pickles
}

extension CIFAR {
  /// Reads both splits from the folder that holds the files.
  static func splits(
    _ variant: CIFARVariant, _ version: CIFARVersion, in folder: String
  ) throws(DataError) -> DatasetSplits {
    let names = try classNames(variant, version, in: folder)
    func read(_ files: [String], _ split: String) throws(DataError) -> CIFAR {
      var parts: [Part] = []
      for file in files {
        let path = "\(folder)/\(file)" + (version == .binary ? ".bin" : "")
        parts.append(try version == .binary ? binaryPart(path, variant) : pickledPart(path, variant))
      }
      return CIFAR(name: "\(variant.name), \(split)", classNames: names, parts: parts)
    }
    return DatasetSplits(
      training: try read(variant.files.training, "training"),
      validation: try read(variant.files.validation, "validation"))
  }

  static func binaryPart(_ path: String, _ variant: CIFARVariant) throws(DataError) -> Part {
    let bytes = try readDataFile(path)
    let record = variant.labelBytes + imageBytes
    guard !bytes.isEmpty, bytes.count % record == 0 else {
      throw DataError(
        path: path, what: "has \(bytes.count) bytes, not a multiple of the record size \(record)",
        remedy: "download \(variant.name) again; its binary version is meant")
    }
    let labels = stride(from: variant.labelBytes - 1, to: bytes.count, by: record).map { Int(bytes[$0]) }
    return Part(
      path: path, bytes: bytes, start: variant.labelBytes, stride: record,
      labels: try checked(labels, path, variant))
  }

  static func pickledPart(_ path: String, _ variant: CIFARVariant) throws(DataError) -> Part {
    let (labels, shape, elements) = try translatingErrors(path) {
      let table = try PickledTable(contentsOf: path)
      let (shape, elements) = try table.bytes("data")
      return (try table.integers(variant.labelKey), shape, elements)
    }
    guard shape == [labels.count, imageBytes], !labels.isEmpty else {
      let found = shape.map(String.init).joined(separator: "×")
      throw DataError(
        path: path, what: "has \(labels.count) labels and data of shape \(found); \(imageBytes) bytes an image",
        remedy: "download \(variant.name) again; its Python version is meant")
    }
    return Part(
      path: path, bytes: Array(elements), start: 0, stride: imageBytes, labels: try checked(labels, path, variant))
  }

  private static func checked(_ labels: [Int], _ path: String, _ variant: CIFARVariant) throws(DataError) -> [Int32] {
    if let row = labels.firstIndex(where: { !(0..<variant.classCount).contains($0) }) {
      throw DataError(
        path: path,
        what: "image \(row) has the label \(labels[row]); \(variant.name) has 0 to \(variant.classCount - 1)",
        remedy: "download \(variant.name) again")
    }
    return labels.map(Int32.init)
  }

  private static func classNames(
    _ variant: CIFARVariant, _ version: CIFARVersion, in folder: String
  ) throws(DataError) -> [String] {
    let path = "\(folder)/\(version == .binary ? variant.names.text : variant.names.pickle)"
    let names: [String]
    switch version {
    case .binary:
      names = String(decoding: try readDataFile(path), as: UTF8.self).split(whereSeparator: \.isNewline).map(
        String.init)
    case .pickles:
      names = try translatingErrors(path) { try PickledTable(contentsOf: path).texts(variant.names.key) }
    }
    guard names.count == variant.classCount else {
      throw DataError(
        path: path, what: "names \(names.count) classes; \(variant.name) has \(variant.classCount)",
        remedy: "download \(variant.name) again")
    }
    return names
  }
}
