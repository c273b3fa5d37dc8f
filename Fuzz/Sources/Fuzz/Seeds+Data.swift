import Foundation
import SPDFormats

extension Seeds {
  // MARK: IDX

  /// Three images of 5×4 pixels.
  static let idxImages: [UInt8] =
    [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 4] + (0..<60).map { UInt8(truncatingIfNeeded: $0 * 37) }
  private static let idxLabels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 9]

  /// Stored, and the same deflated.
  static let packedIDX: [[UInt8]] = [Containers.gzip(idxImages), Array(Data(base64Encoded: deflatedIDX)!)]
  private static let deflatedIDX = """
    H4sIAAAAAAACA2Ng4GBmYGAAYVYgZmFQ9cqfsvMes4Zv0fQ9D9m0A0pn7X/CqRdcMffQcx7DsOoFR1/xm0TWLT7xVsg8pnHZ6Q+i\
    VvEtK899lrBNagcAHBcUokwAAAA=
    """

  /// Writes a data set in IDX format without the training images.
  static func writeIDX(to folder: String) throws {
    for (name, bytes) in [
      ("train-labels-idx1-ubyte", idxLabels), ("t10k-images-idx3-ubyte", idxImages),
      ("t10k-labels-idx1-ubyte", idxLabels),
    ] {
      try writeAtomically(to: "\(folder)/\(name)") { try $0.write(bytes) }
    }
  }

  // MARK: detection

  static let dataYAML = [
    "path: ../shapes\ntrain: images/train\nval: [images/val, list.txt]\ntest:\nnc: 3\nnames: [circle, no, \"a b\"]\n",
    "train: instances.json\ndownload: |\n  echo\nnames:\n  0: cat\n  1: &dog dog\n  2: 'it''s'\n",
    "# one class\nval: &v images/val\ntrain: *v\nnc: 1\n",
  ].map { Array($0.utf8) }

  static let labels = [
    "0 0.5 0.5 0.25 0.125\n7 0.1 0.2 0.05 1e-2\r\n\n3\t.5 0.25 1 1",
    "1 0.1 0.1 0.9 0.1 0.5 0.8\n2 0.5 0.5 0.1 0.1\n1 0.1 0.1 0.9 0.1 0.5 0.8\n",
  ].map { Array($0.utf8) }

  static let annotations = [
    """
    {"info": {"year": 2017, "list": [1, null, true]}, "images": [
      {"id": 9, "file_name": "a\\u00e9.jpg", "width": 64, "height": 48, "coco_url": "http"},
      {"id": 7, "file_name": "b.jpg", "width": 32, "height": 32}],
    "categories": [{"id": 3, "name": "cat"}, {"id": 1, "name": "dog", "supercategory": "animal"}],
    "annotations": [
      {"id": 1, "image_id": 9, "category_id": 3, "bbox": [1.5, 2, 30, 20.25], "area": 300.5, "iscrowd": 0,
       "segmentation": [[1.5, 2, 31.5, 2, 20, 22], [5, 5, 9, 5, 9, 9, 5, 9]]},
      {"id": 2, "image_id": 7, "category_id": 1, "bbox": [0, 0, 32, 32], "area": 9, "iscrowd": 1,
       "segmentation": {"counts": [0, 5, 1019], "size": [32, 32]}},
      {"id": 3, "image_id": 7, "category_id": 1, "bbox": [-1, 3e1, 1e2, 1], "ignore": true}]}
    """,
    """
    {"annotations": [{"bbox": [1, 2, 3, 4], "category_id": 1, "image_id": "x", "id": 5}],
    "categories": [{"id": 1}], "images": [{"file_name": "x.png", "height": 20, "id": "x", "width": 20}]}
    """,
  ].map { Array($0.utf8) }

  static let results = [
    """
    [{"image_id": 9, "category_id": 3, "bbox": [1.5, 2, 30, 20.25], "score": 0.98},
    {"image_id": "b", "category_id": 1, "bbox": [0, 0, 3e1, 32], "score": 1e-3, "more": {"a": []}},
    {"image_id": 7, "category_id": 1, "bbox": [4, 4, 8, 8], "score": 0.5}]
    """, "[]",
  ].map { Array($0.utf8) }

  static let hyperparameters = [
    "lr0: 0.01  # initial\nlrf: 0.1\nmomentum: 0.937\nweight_decay: 5e-4\nbox: .05\nanchors: 3\nmosaic: 1.0\n",
    "{hsv_h: 0.015, degrees: 45, fl_gamma: 1.5, copy_paste: 0}\n",
  ].map { Array($0.utf8) }

  static func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Writes `images/train` with two images, of which the second has labels. Their times are fixed, so that the caches
  /// of ``scanCaches`` match them wherever they lie.
  static func writeImages(to folder: String) throws {
    for place in ["images/train", "labels/train"] { try makeFolder("\(folder)/\(place)") }
    let image = files("Tests/SPDDetectionTests/Fixtures/data", ["rgb24.bmp"])[0]
    for (name, bytes) in [
      ("images/train/0.bmp", image), ("images/train/1.bmp", image), ("labels/train/1.txt", labels[1]),
    ] {
      let path = "\(folder)/\(name)"
      try writeAtomically(to: path) { try $0.write(bytes) }
      let date = Date(timeIntervalSince1970: 1_000_000_000)
      try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
    }
  }

  /// The cache of a scan of ``writeImages(to:)``.
  static let scanCaches: [[UInt8]] = {
    let folder = "\(repository)/build/fuzz/scratch/scan"
    try? FileManager.default.removeItem(atPath: folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    guard (try? writeImages(to: folder)) != nil, (try? Reader.scanned(folder, usesCache: true)) != nil else {
      return []
    }
    return files("build/fuzz/scratch/scan/images", [".spdc-cache"])
  }()
}
