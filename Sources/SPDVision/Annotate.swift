/// Draws detections into an image: a box in the colour of its class, and a label with name and score.
///
/// Lines and letters scale with the image. A label sits on top of its box, or inside it where there is no room above,
/// and is moved, shrunk or truncated to stay inside the image. Better detections are drawn over worse ones.
///
/// - Parameters:
///   - detections: boxes in pixels of this image, best first; boxes are clipped to the image, and those with NaN
///     skipped.
///   - names: by class index; a class without a name is labelled `class 7`.
///   - showsScores: false for ground truth.
/// - Precondition: the image is valid.
public func annotate(
  _ image: inout Image, detections: [Detection], names: [String], showsScores: Bool = true
) {
  image.requireValid()
  let lineWidth = max(1, Int((Double(image.width + image.height) * 0.0015).rounded()))
  for detection in detections.reversed() {
    guard let box = pixelBox(detection.box, width: image.width, height: image.height) else { continue }
    let colour = classColour(detection.classIndex)
    image.stroke(box, lineWidth: lineWidth, colour)
    image.drawLabel(
      label(of: detection, names, showsScores), at: box, textScale: lineWidth, colour)
  }
}

/// A rectangle in whole pixels; right and bottom are exclusive.
private struct Rectangle {
  var left, top, right, bottom: Int
}

/// Clips a box to the image and rounds it to a minimum of one pixel in each direction.
private func pixelBox(_ box: SIMD4<Float>, width: Int, height: Int) -> Rectangle? {
  guard !(box.x.isNaN || box.y.isNaN || box.z.isNaN || box.w.isNaN) else { return nil }
  func pixel(_ value: Float, _ limit: Int) -> Int { Int(min(max(value, 0), Float(limit)).rounded()) }
  let left = min(pixel(box.x, width), width - 1)
  let top = min(pixel(box.y, height), height - 1)
  return Rectangle(
    left: left, top: top, right: max(pixel(box.z, width), left + 1), bottom: max(pixel(box.w, height), top + 1))
}

private func label(of detection: Detection, _ names: [String], _ showsScore: Bool) -> String {
  let name =
    names.indices.contains(detection.classIndex) ? names[detection.classIndex] : "class \(detection.classIndex)"
  if !showsScore { return name }
  let score = detection.score.isNaN ? 0 : min(max(detection.score, 0), 1)
  let hundredths = Int((score * 100).rounded())
  return "\(name) \(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
}

extension Image {
  fileprivate mutating func fill(_ area: Rectangle, _ colour: RGB) {
    let columns = max(area.left, 0)..<max(min(area.right, width), max(area.left, 0))
    for y in max(area.top, 0)..<max(min(area.bottom, height), max(area.top, 0)) {
      for x in columns {
        let offset = (y * width + x) * 3
        pixels[offset] = colour.red
        pixels[offset + 1] = colour.green
        pixels[offset + 2] = colour.blue
      }
    }
  }

  /// Draws the outline of a box, inside it.
  fileprivate mutating func stroke(_ box: Rectangle, lineWidth: Int, _ colour: RGB) {
    let across = min(lineWidth, box.right - box.left)
    let down = min(lineWidth, box.bottom - box.top)
    fill(Rectangle(left: box.left, top: box.top, right: box.right, bottom: box.top + down), colour)
    fill(Rectangle(left: box.left, top: box.bottom - down, right: box.right, bottom: box.bottom), colour)
    fill(Rectangle(left: box.left, top: box.top, right: box.left + across, bottom: box.bottom), colour)
    fill(Rectangle(left: box.right - across, top: box.top, right: box.right, bottom: box.bottom), colour)
  }

  fileprivate mutating func drawLabel(_ text: String, at box: Rectangle, textScale: Int, _ colour: RGB) {
    // A margin of one font pixel on all sides; the advance of the last letter is the margin on the right.
    var letters = Array(text)
    let columns = { (count: Int) in count * Font.advance + 1 }
    let rows = Font.glyphHeight + 2
    var scale = textScale
    while scale > 1 && (columns(letters.count) * scale > width || rows * scale > height) { scale -= 1 }
    while !letters.isEmpty && columns(letters.count) > width { letters.removeLast() }
    if letters.isEmpty || rows > height { return }

    let labelWidth = columns(letters.count) * scale
    let labelHeight = rows * scale
    let left = min(box.left, width - labelWidth)
    let top = box.top >= labelHeight ? box.top - labelHeight : min(box.top, height - labelHeight)
    fill(Rectangle(left: left, top: top, right: left + labelWidth, bottom: top + labelHeight), colour)
    for (index, letter) in letters.enumerated() {
      let x = left + (1 + index * Font.advance) * scale
      drawGlyph(Font.rows(of: letter), left: x, top: top + scale, scale: scale, textColour(on: colour))
    }
  }

  private mutating func drawGlyph(_ rows: ArraySlice<UInt8>, left: Int, top: Int, scale: Int, _ colour: RGB) {
    for (row, bits) in rows.enumerated() {
      for column in 0..<Font.glyphWidth where bits >> (Font.glyphWidth - 1 - column) & 1 == 1 {
        let x = left + column * scale
        let y = top + row * scale
        fill(Rectangle(left: x, top: y, right: x + scale, bottom: y + scale), colour)
      }
    }
  }
}
