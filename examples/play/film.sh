#!/usr/bin/env bash
# A video as HLS in FOLDER/film, and beside it the page that plays it. Needs ffmpeg, and a checkout after `npm ci`, which brings hls.js.
#   examples/play/film.sh FOLDER [VIDEO]
# Without a video, ffmpeg draws one: 24 seconds of a moving test picture that counts, with a tone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:?usage: film.sh FOLDER [VIDEO]}
video=${2:-}

input=(-f lavfi -i 'testsrc2=size=640x360:rate=25:duration=24' -f lavfi -i 'sine=frequency=330:sample_rate=48000:duration=24')
sound=1:a
if [ -n "$video" ]; then
  input=(-i "$video")
  sound=0:a:0
  if ! ffprobe -v error -select_streams a -show_entries stream=index -of csv=p=0 "$video" | grep -q .; then
    input+=(-f lavfi -i anullsrc=sample_rate=48000)
    sound=1:a
  fi
fi

mkdir -p "$folder/film" "$folder/page"
# Two renditions in segments of two seconds, each of which begins with a key frame, so that players may change between them.
ffmpeg -hide_banner -loglevel error -nostdin -y "${input[@]}" -shortest \
  -filter_complex '[0:v]fps=25,split=2[high][low];[high]scale=640:-2[v0];[low]scale=320:-2[v1]' \
  -map '[v0]' -map "$sound" -map '[v1]' -map "$sound" \
  -c:v libx264 -preset ultrafast -profile:v main -pix_fmt yuv420p -g 50 -keyint_min 50 -sc_threshold 0 \
  -b:v:0 500k -maxrate:v:0 600k -bufsize:v:0 1M -b:v:1 150k -maxrate:v:1 180k -bufsize:v:1 300k \
  -c:a aac -b:a 64k -ac 2 \
  -f hls -hls_time 2 -hls_playlist_type vod -hls_segment_type fmp4 -hls_flags independent_segments \
  -var_stream_map 'v:0,a:0,name:high v:1,a:1,name:low' -master_pl_name film.m3u8 \
  -hls_segment_filename "$folder/film/%v/%03d.m4s" "$folder/film/%v/index.m3u8"
cp "$here"/page/* "$here/../../node_modules/hls.js/dist/hls.min.mjs" "$folder/page/"
