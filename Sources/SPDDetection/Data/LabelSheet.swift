import SPD
import SPDData
import SPDVision

/// A sheet of labelled images, to see at a glance whether boxes and names fit.
public enum LabelSheet {
  /// Draws up to `columns` × `rows` images, chosen by a seed, each letterboxed to a square cell.
  ///
  /// Boxes have the colour of their class and its name; images that cannot be read are passed over.
  ///
  /// - Parameters:
  ///   - cell: side of a cell in pixels.
  /// - Throws: where no image can be read.
  public static func image(
    _ dataset: some DetectionDataset, columns: Int = 4, rows: Int = 4, cell: Int = 320, seed: UInt64 = 0
  ) throws(DataError) -> Image {
    precondition(columns > 0 && rows > 0 && cell > 0, "a sheet of \(columns)×\(rows) cells of \(cell) has no pixels")
    var cells: [Image] = []
    var failure: DataError?
    for index in chosen(dataset, columns * rows, seed) where cells.count < columns * rows {
      do throws(DataError) {
        cells.append(drawn(try dataset.image(index), dataset.labels(index), dataset.classNames, cell))
      } catch {
        failure = failure ?? error
      }
    }
    guard !cells.isEmpty else {
      throw failure ?? DataError(path: dataset.name, what: "has no images", remedy: "add images")
    }
    let width = min(columns, cells.count)
    let height = (cells.count + width - 1) / width
    let gap = 4
    var sheet = Image(
      width: width * (cell + gap) - gap, height: height * (cell + gap) - gap, filledWith: RGB(255, 255, 255))
    for (index, image) in cells.enumerated() {
      sheet.place(image, left: index % width * (cell + gap), top: index / width * (cell + gap))
    }
    return sheet
  }

  /// Images with objects come first. Twice the number is returned, to replace broken ones.
  private static func chosen(_ dataset: some DetectionDataset, _ count: Int, _ seed: UInt64) -> [Int] {
    var random = SplitMix64(.order, seed)
    let order = random.permutation(dataset.count).prefix(8 * count).map(Int.init)
    let labelled = order.filter { !dataset.labels($0).objects.isEmpty }
    let background = order.filter { dataset.labels($0).objects.isEmpty }
    return Array((labelled + background).prefix(2 * count))
  }

  private static func drawn(_ image: Image, _ labels: LabelledImage, _ names: [String], _ cell: Int) -> Image {
    let (fitted, fit) = letterbox(image, height: cell, width: cell)
    var canvas = fitted
    let detections = labels.objects.map { object in
      Detection(classIndex: object.classIndex, score: 1, box: pixels(object.box, in: fit))
    }
    annotate(&canvas, detections: detections, names: names, showsScores: false)
    return canvas
  }

  /// Corners in pixels of the letterboxed image.
  private static func pixels(_ box: SIMD4<Float>, in fit: Letterbox) -> SIMD4<Float> {
    let scale = SIMD2(Float(fit.contentWidth), Float(fit.contentHeight))
    let centre = SIMD2(box.x, box.y) * scale + SIMD2(Float(fit.left), Float(fit.top))
    let half = SIMD2(box.z, box.w) * scale / 2
    return SIMD4(centre.x - half.x, centre.y - half.y, centre.x + half.x, centre.y + half.y)
  }
}

extension Image {
  /// Copies another image into this one, which contains it.
  fileprivate mutating func place(_ image: Image, left: Int, top: Int) {
    for y in 0..<image.height {
      let to = ((top + y) * width + left) * 3
      let from = y * image.width * 3
      pixels.replaceSubrange(to..<to + image.width * 3, with: image.pixels[from..<from + image.width * 3])
    }
  }
}
