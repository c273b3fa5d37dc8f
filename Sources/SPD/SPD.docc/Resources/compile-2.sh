spdc compile small-spd.swift --weights synthetic -o build/small
spdc verify small-spd.swift
