/// Chooses a colour for each class: the first eighty differ from each other, and consecutive ones strongly.
///
/// Hues advance by the golden section, which spreads any number of them evenly. Three levels of saturation alternate to
/// separate hues that come close after several turns.
func classColour(_ classIndex: Int) -> RGB {
  let index = classIndex.magnitude % 1024
  let hue = (Double(index) * 0.618_033_988_75 + 0.02).truncatingRemainder(dividingBy: 1)
  let (saturation, brightness) = [(1.0, 1.0), (0.55, 1.0), (0.9, 0.62)][Int(index % 3)]
  return rgb(hue: hue, saturation: saturation, brightness: brightness)
}

/// Returns black or white, whichever is easier to read on the colour.
func textColour(on background: RGB) -> RGB {
  let luma = 299 * Int(background.red) + 587 * Int(background.green) + 114 * Int(background.blue)
  return luma >= 128_000 ? RGB(0, 0, 0) : RGB(255, 255, 255)
}

private func rgb(hue: Double, saturation: Double, brightness: Double) -> RGB {
  // Each channel is a trapezoid over the hue circle; the three are a third of the circle apart.
  func channel(_ offset: Double) -> UInt8 {
    let position = (hue * 6 + offset).truncatingRemainder(dividingBy: 6)
    let fall = min(max(min(position, 4 - position), 0), 1)
    return UInt8((brightness * (1 - saturation * fall) * 255).rounded())
  }
  return RGB(channel(5), channel(3), channel(1))
}
