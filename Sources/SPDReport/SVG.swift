/// A builder for SVG images; coordinates in pixels, y downwards.
///
/// Colours are CSS classes, so that one style sheet supports light and dark mode: `s0`, `s1`, … for strokes and `f0`, `f1`, …
/// for fills of series.
package struct SVG {
  package let width: Double
  package let height: Double
  private var body = ""

  package enum Anchor: String { case start, middle, end }

  package init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  package mutating func line(_ from: (Double, Double), _ to: (Double, Double), class name: String) {
    body += "<line x1=\"\(n(from.0))\" y1=\"\(n(from.1))\" x2=\"\(n(to.0))\" y2=\"\(n(to.1))\" class=\"\(name)\"/>\n"
  }

  package mutating func polyline(_ points: [(Double, Double)], class name: String) {
    let list = points.map { "\(n($0.0)),\(n($0.1))" }.joined(separator: " ")
    body += "<polyline points=\"\(list)\" class=\"\(name)\"/>\n"
  }

  /// - Parameters:
  ///   - stroke: a colour that depends on a value; nil uses the class's.
  ///   - title: the tooltip.
  package mutating func path(_ data: String, class name: String, stroke: String? = nil, title: String? = nil) {
    element("path", "d=\"\(data)\" class=\"\(name)\"" + (stroke.map { " style=\"stroke:\($0)\"" } ?? ""), title)
  }

  package mutating func circle(_ centre: (Double, Double), radius: Double, class name: String, title: String? = nil) {
    element("circle", "cx=\"\(n(centre.0))\" cy=\"\(n(centre.1))\" r=\"\(n(radius))\" class=\"\(name)\"", title)
  }

  package mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, class name: String, opacity: Double? = nil,
    title: String? = nil
  ) {
    let shade = opacity.map { " fill-opacity=\"\(n($0))\"" } ?? ""
    element(
      "rect", "x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" class=\"\(name)\"\(shade)",
      title)
  }

  package mutating func text(
    _ text: String, at place: (Double, Double), class name: String = "", anchor: Anchor = .start, angle: Double = 0
  ) {
    let turn = angle == 0 ? "" : " transform=\"rotate(\(n(angle)) \(n(place.0)) \(n(place.1)))\""
    let kind = name.isEmpty ? "" : " class=\"\(name)\""
    body +=
      "<text x=\"\(n(place.0))\" y=\"\(n(place.1))\" text-anchor=\"\(anchor.rawValue)\"\(kind)\(turn)>"
      + "\(escaped(text))</text>\n"
  }

  /// - Parameter data: a PNG file in base64.
  package mutating func image(png data: String, x: Double, y: Double, width: Double, height: Double) {
    body +=
      "<image x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" "
      + "style=\"image-rendering:pixelated\" preserveAspectRatio=\"none\" href=\"data:image/png;base64,\(data)\"/>\n"
  }

  private mutating func element(_ name: String, _ attributes: String, _ title: String?) {
    if let title {
      body += "<\(name) \(attributes)><title>\(escaped(title))</title></\(name)>\n"
    } else {
      body += "<\(name) \(attributes)/>\n"
    }
  }

  /// Returns the image as an element of an HTML page with `ChartStyle.css`.
  ///
  /// - Parameter label: description for screen readers.
  package func inline(label: String) -> String {
    "<svg class=\"chart\" role=\"img\" aria-label=\"\(escaped(label))\" viewBox=\"0 0 \(n(width)) \(n(height))\" "
      + "width=\"\(n(width))\" height=\"\(n(height))\">\n\(body)</svg>"
  }

  /// Returns the image as a file.
  package var document: String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 \(n(width)) \(n(height))" width="\(n(width))" \
    height="\(n(height))">
    <style>
    \(ChartStyle.css)</style>
    <rect width="100%" height="100%" class="page"/>
    \(body)</svg>

    """
  }
}

/// Formats a coordinate with up to two decimals to limit the file size.
private func n(_ value: Double) -> String {
  let hundredths = (value * 100).rounded()
  let isWhole = hundredths.truncatingRemainder(dividingBy: 100) == 0
  return isWhole ? "\(Int(hundredths / 100))" : "\(hundredths / 100)"
}

/// Escapes text for elements and attributes of HTML and XML.
package func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    // XML cannot represent the other control characters.
    case _ where scalar.value < 0x20 && !"\t\n".unicodeScalars.contains(scalar): result += "\u{fffd}"
    case "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
