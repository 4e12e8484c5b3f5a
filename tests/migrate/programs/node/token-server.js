const express = require('express')
const axios = require('axios')

const app = express()

app.get('/token', async (req, res) => {
  try {
    const { data } = await axios.post('https://api.assemblyai.com/v2/realtime/token',
      { expires_in: 3600 },
      { headers: { authorization: process.env.ASSEMBLYAI_API_KEY } })
    res.json(data)
  } catch (error) {
    res.status(500).json(error.response ? error.response.data : { error: 'no answer' })
  }
})

app.listen(8000)
